A public alias of a service that is gone ends here, and not upstream

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  alias.example.net 600 CNAME gone.ns1.svc.cluster.local

the agent starts
client asks alias.example.net A
server 192.0.2.53 is asked alias.example.net A
client gets NXDOMAIN, no AA
  alias.example.net 600 CNAME gone.ns1.svc.cluster.local
  authority cluster.local 5 SOA minimum 5
