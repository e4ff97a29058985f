A connection that is idle is closed after ten seconds, and not before

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
client asks reviews.ns1 A, by TCP
client gets NOERROR
  reviews.ns1 30 A 10.0.0.5
9 s pass
client's connection is open
within 4 s, client's connection is closed
