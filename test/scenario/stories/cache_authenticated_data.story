AD of an upstream server comes back to those who look at it, also from the cache

server 192.0.2.53
  www.example.org 300 A 198.51.100.7
  answers with AD

the agent starts
client asks www.example.org A, AD
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, AD, no AA
  www.example.org 300 A 198.51.100.7
client asks www.example.org A
client gets NOERROR, no AD
  www.example.org 300 A 198.51.100.7
client asks www.example.org A, AD
client gets NOERROR, AD
  www.example.org 300 A 198.51.100.7
nothing is sent
