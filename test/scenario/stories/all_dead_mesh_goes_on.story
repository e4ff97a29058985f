With every server dead, mesh names and cached answers go on

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  www.example.org 3600 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 3600 A 198.51.100.7
server 192.0.2.53 is silent
other questions do not matter
client A asks lost.example.org A
client asks reviews.ns1 A
client gets NOERROR
  reviews.ns1 30 A 10.0.0.5
client asks www.example.org A
client gets NOERROR
  www.example.org * A 198.51.100.7
within 4.5 s, client A gets SERVFAIL
