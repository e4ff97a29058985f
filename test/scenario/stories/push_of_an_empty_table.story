An empty table is a table: the mesh has no names any more

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
the mesh becomes
  (none)
client asks reviews.ns1.svc.cluster.local A
client gets NXDOMAIN, AA
  authority cluster.local 5 SOA minimum 5
