The address of a service has one name, and the question stays here

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5 2001:db8::5
server 192.0.2.53

the agent starts
client asks 5.0.0.10.in-addr.arpa PTR
client gets NOERROR, AA
  5.0.0.10.in-addr.arpa 30 PTR reviews.ns1.svc.cluster.local
client asks 5.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR
client gets NOERROR, AA, 1 record
nothing is sent
