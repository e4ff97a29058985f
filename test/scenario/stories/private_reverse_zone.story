A private address that is not of the mesh is asked of the VM's own servers

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  9.0.0.10.in-addr.arpa 600 PTR printer.corp.example

the agent starts
client asks 9.0.0.10.in-addr.arpa PTR
server 192.0.2.53 is asked 9.0.0.10.in-addr.arpa PTR
client gets NOERROR
  9.0.0.10.in-addr.arpa 600 PTR printer.corp.example
