A negative answer's SOA says from the first answer on how long it may be kept

server 192.0.2.53
  example.org 3600 SOA minimum 60

the agent starts
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
  authority example.org 60 SOA minimum 60
