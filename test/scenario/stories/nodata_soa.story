The other family of a host is NODATA with a SOA that lasts five seconds

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
  db.example.org 192.0.2.80
server 192.0.2.53

the agent starts
client asks reviews.ns1.svc.cluster.local AAAA
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
# Of other hosts the SOA is the host's own: the zone above it is not ours.
client asks db.example.org AAAA
client gets NOERROR, AA
  authority db.example.org 5 SOA minimum 5
nothing is sent
