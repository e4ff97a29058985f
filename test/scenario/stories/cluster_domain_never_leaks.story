An unknown name of the cluster domain is NXDOMAIN here and never asked upstream

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53

the agent starts
client asks nobody.ns1.svc.cluster.local A
client gets NXDOMAIN, AA
  authority cluster.local 5 SOA minimum 5
client asks kubernetes.cluster.local TXT
client gets NXDOMAIN, AA
# Names that only have names below them exist.
client asks ns1.svc.cluster.local A
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
client asks cluster.local A
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
client asks cluster.local SOA
client gets NOERROR, AA
  cluster.local 5 SOA minimum 5
nothing is sent
