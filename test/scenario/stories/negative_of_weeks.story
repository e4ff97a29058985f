No negative answer is kept for more than an hour

server 192.0.2.53
  example.org 604800 SOA minimum 604800

the agent starts
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
59 min pass
client asks nobody.example.org A
client gets NXDOMAIN
nothing is sent
2 min pass
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
