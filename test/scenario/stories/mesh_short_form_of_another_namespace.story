One label never means a service of another namespace

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  . 60 SOA minimum 60

the agent starts
client asks reviews.default.svc.cluster.local A
client gets NXDOMAIN, AA
  authority cluster.local 5 SOA minimum 5
nothing is sent
client asks reviews A
server 192.0.2.53 is asked reviews A
client gets NXDOMAIN, no AA
