A name that does not exist is remembered for the SOA's MINIMUM

server 192.0.2.53
  example.org 3600 SOA minimum 60

the agent starts
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN, no AA
  authority example.org * SOA minimum 60
40 s pass
client asks nobody.example.org A
client gets NXDOMAIN
  authority example.org 20 SOA minimum 60
nothing is sent
21 s pass
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
