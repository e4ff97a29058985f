That a name has no such record is remembered for that type alone

server 192.0.2.53
  example.org 30 SOA minimum 300
  www.example.org 600 A 198.51.100.7

the agent starts
client asks www.example.org AAAA
server 192.0.2.53 is asked www.example.org AAAA
client gets NOERROR
  authority example.org 30 SOA minimum 300
29 s pass
client asks www.example.org AAAA
client gets NOERROR
  authority example.org 1 SOA minimum 300
nothing is sent
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 600 A 198.51.100.7
2 s pass
client asks www.example.org AAAA
server 192.0.2.53 is asked www.example.org AAAA
client gets NOERROR
