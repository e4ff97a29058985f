Without RD only what is known here is answered

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  www.example.org 300 A 198.51.100.7

the agent starts
client asks reviews.ns1.svc.cluster.local A, no RD
client gets NOERROR, no RD
  reviews.ns1.svc.cluster.local 30 A 10.0.0.5
client asks www.example.org A, no RD
client gets REFUSED
nothing is sent
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 300 A 198.51.100.7
client asks www.example.org A, no RD
client gets NOERROR
  www.example.org 300 A 198.51.100.7
