A name with the first search domain behind it is answered at once, by a CNAME

mesh
  db.example.org 192.0.2.80
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53

the agent starts
client asks db.example.org.default.svc.cluster.local A
client gets NOERROR, AA
  db.example.org.default.svc.cluster.local 30 CNAME db.example.org
  db.example.org 30 A 192.0.2.80
client asks reviews.ns1.default.svc.cluster.local A
client gets NOERROR, AA
  reviews.ns1.default.svc.cluster.local 30 CNAME reviews.ns1.svc.cluster.local
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
nothing is sent
