That a server does not know EDNS is remembered

server 192.0.2.53
  example.org 60 SOA minimum 60
  refuses EDNS

the agent starts
other questions do not matter
client asks a.example.org A
client gets NXDOMAIN
client asks b.example.org A
client gets NXDOMAIN
other questions matter again
client asks c.example.org A
server 192.0.2.53 is asked c.example.org A, no EDNS
client gets NXDOMAIN
nothing is sent
