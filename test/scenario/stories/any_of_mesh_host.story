ANY of a mesh host is the one small record of RFC 8482

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
  db.example.org 192.0.2.80
server 192.0.2.53

the agent starts
client asks reviews.ns1.svc.cluster.local ANY
client gets NOERROR, AA
  reviews.ns1.svc.cluster.local 30 HINFO RFC8482
client asks db.example.org ANY
client gets NOERROR, AA
  db.example.org 30 HINFO RFC8482
nothing is sent
