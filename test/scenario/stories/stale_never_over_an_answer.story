A name that is gone is gone: NXDOMAIN is an answer, and nothing stale stands above it

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  example.org 60 SOA minimum 60

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
server 192.0.2.53 no longer has www.example.org
70 s pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NXDOMAIN
server 192.0.2.53 is silent
70 s pass
other questions do not matter
client asks www.example.org A, EDNS 1232
within 1.9 s, client gets NXDOMAIN, EDE 19
