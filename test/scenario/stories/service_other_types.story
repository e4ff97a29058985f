No question about a service leaves the VM, whatever its type

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53

the agent starts
client asks reviews.ns1.svc.cluster.local HTTPS
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
client asks reviews.ns1.svc.cluster.local TXT
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
client asks reviews.ns1.svc.cluster.local MX
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
client asks reviews.ns1.svc.cluster.local TYPE65280
client gets NOERROR, AA
  authority cluster.local 5 SOA minimum 5
nothing is sent
