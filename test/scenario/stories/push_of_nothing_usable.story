A table of which nothing can be served is refused: the one before stays

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
the mesh becomes
  *.*.example.org 10.0.0.1
  localhost 10.0.0.2
client asks reviews.ns1.svc.cluster.local A
client gets NOERROR, AA
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
client asks localhost A
client gets NOERROR
  localhost 86400 A 127.0.0.1
