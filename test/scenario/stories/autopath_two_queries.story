A stub with ndots:5 has its two answers after two queries

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53

the agent starts
client asks reviews.ns1.svc.cluster.local.default.svc.cluster.local A
client asks reviews.ns1.svc.cluster.local.default.svc.cluster.local AAAA
client gets NOERROR
  reviews.ns1.svc.cluster.local.default.svc.cluster.local 30 CNAME reviews.ns1.svc.cluster.local
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
client gets NOERROR
  reviews.ns1.svc.cluster.local.default.svc.cluster.local 30 CNAME reviews.ns1.svc.cluster.local
  authority cluster.local 5 SOA minimum 5
nothing is sent
