A pushed table is in force for the very next question

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
  ratings.ns1.svc.cluster.local 10.0.0.6

the agent starts
client asks reviews.ns1.svc.cluster.local A
client gets NOERROR
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
the mesh becomes
  reviews.ns1.svc.cluster.local 10.0.0.99
client asks reviews.ns1.svc.cluster.local A
client gets NOERROR
  reviews.ns1.svc.cluster.local 30 A 10.0.0.99
client asks ratings.ns1.svc.cluster.local A
client gets NXDOMAIN
  authority cluster.local 5 SOA minimum 5
