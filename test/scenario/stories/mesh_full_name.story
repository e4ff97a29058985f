The full name of a service is answered from the table, and nobody else is asked

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5 10.0.0.6
server 192.0.2.53

the agent starts
client asks reviews.ns1.svc.cluster.local A
client gets NOERROR, AA, RA, no AD, no TC
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
  reviews.ns1.svc.cluster.local 30 A 10.0.0.6
nothing is sent
