A chain is kept as long as its shortest record

server 192.0.2.53
  www.example.org 3600 CNAME web.example.net
  web.example.net 20 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
15 s pass
client asks www.example.org A
client gets NOERROR
  www.example.org * CNAME web.example.net
  web.example.net 5 A 198.51.100.7
nothing is sent
6 s pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
