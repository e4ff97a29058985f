Every short form of a service is answered as a pod would have it

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
  ratings.default.svc.cluster.local 10.0.0.7
server 192.0.2.53

the agent starts
client asks reviews.ns1.svc A
client gets NOERROR, AA
  reviews.ns1.svc 30 A 10.0.0.5
client asks reviews.ns1 A
client gets NOERROR, AA
  reviews.ns1 30 A 10.0.0.5
# One label stands for a service of the agent's own namespace alone.
client asks ratings A
client gets NOERROR, AA
  ratings 30 A 10.0.0.7
nothing is sent
