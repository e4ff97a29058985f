A dead server is probed, and has its place again once it answers

server 192.0.2.53
  is silent
server 192.0.2.54
  example.org 60 SOA minimum 60

the agent starts
other questions do not matter
client asks a.example.org A
within 1.1 s, client gets NXDOMAIN
within 10 s, server 192.0.2.53 is probed
client asks b.example.org A
within 1.1 s, client gets NXDOMAIN
client asks c.example.org A
within 1.1 s, client gets NXDOMAIN
2 min pass
server 192.0.2.53 is probed
server 192.0.2.53 is well again
2 min pass
server 192.0.2.54 is silent
client asks d.example.org A
within 1.1 s, client gets NXDOMAIN
