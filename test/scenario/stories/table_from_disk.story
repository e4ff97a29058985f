After a restart the last table is served from the disk, with the control plane away

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
the mesh becomes
  reviews.ns1.svc.cluster.local 10.0.0.6
2 d pass
the agent restarts
client asks reviews.ns1.svc.cluster.local A
client gets NOERROR, AA
  reviews.ns1.svc.cluster.local 30 A 10.0.0.6
