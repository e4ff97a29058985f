Questions of one connection are answered as soon as they can be, in any order

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  slow.example.org 60 A 198.51.100.7
  quick.example.org 60 A 198.51.100.8
  takes 500 ms for slow.example.org

the agent starts
client asks slow.example.org A, by TCP
client asks quick.example.org A, by TCP
client asks reviews.ns1 A, by TCP
server 192.0.2.53 is asked slow.example.org A
server 192.0.2.53 is asked quick.example.org A
client gets NOERROR, by TCP, for reviews.ns1 A
  reviews.ns1 30 A 10.0.0.5
client gets NOERROR, by TCP, for quick.example.org A
  quick.example.org 60 A 198.51.100.8
within 500 ms, client gets NOERROR, by TCP, for slow.example.org A
  slow.example.org 60 A 198.51.100.7
