Before any table a service may yet come: SERVFAIL that nobody remembers

server 192.0.2.53

the agent starts
client asks reviews.ns1.svc.cluster.local A, EDNS 1232
client gets SERVFAIL, no AA, EDE 14
# Too deep for a service: a stub must go on with its search list.
client asks www.example.org.default.svc.cluster.local A
client gets NXDOMAIN
  authority cluster.local 5 SOA minimum 5
the mesh becomes
  reviews.ns1.svc.cluster.local 10.0.0.5
client asks reviews.ns1.svc.cluster.local A
client gets NOERROR, AA
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
nothing is sent
