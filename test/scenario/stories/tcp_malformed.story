What follows a message that is no query cannot be trusted to be one

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
client connects
client sends 00 01 02, by TCP
client's connection is closed
client asks reviews.ns1 A, by TCP
client gets NOERROR
  reviews.ns1 30 A 10.0.0.5
