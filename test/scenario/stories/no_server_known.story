Where no nameserver is known the agent says so, and mesh names go on

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
the agent reports NO_UPSTREAM
client asks www.example.org A, EDNS 1232
client gets SERVFAIL, EDE 23
client asks reviews.ns1 A
client gets NOERROR
  reviews.ns1 30 A 10.0.0.5
