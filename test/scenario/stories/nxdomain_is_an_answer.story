NXDOMAIN is an answer: no other server is asked

server 192.0.2.53
  example.org 60 SOA minimum 60
server 192.0.2.54
  nobody.example.org 60 A 198.51.100.7

the agent starts
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
  authority example.org 60 SOA minimum 60
nothing is sent
