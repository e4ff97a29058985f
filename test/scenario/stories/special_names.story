Special names are nobody else's to answer

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53

the agent starts
client asks localhost A
client gets NOERROR, AA
  localhost 86400 A 127.0.0.1
client asks app.localhost AAAA
client gets NOERROR
  app.localhost 86400 AAAA ::1
client asks 1.0.0.127.in-addr.arpa PTR
client gets NOERROR
  1.0.0.127.in-addr.arpa 86400 PTR localhost
client asks whatever.invalid A
client gets NXDOMAIN
  authority invalid 5 SOA minimum 5
client asks hidden.onion A
client gets NXDOMAIN
  authority onion 5 SOA minimum 5
client asks _dns.resolver.arpa SVCB
client gets NOERROR
  authority resolver.arpa 5 SOA minimum 5
nothing is sent
