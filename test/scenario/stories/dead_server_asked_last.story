A server that failed three times is asked last

server 192.0.2.53
  is silent
server 192.0.2.54
  example.org 60 SOA minimum 60

the agent starts
other questions do not matter
client asks a.example.org A
within 1.1 s, client gets NXDOMAIN
client asks b.example.org A
within 1.1 s, client gets NXDOMAIN
client asks c.example.org A
within 1.1 s, client gets NXDOMAIN
client asks d.example.org A
within 20 ms, client gets NXDOMAIN
client asks e.example.org A
within 20 ms, client gets NXDOMAIN
