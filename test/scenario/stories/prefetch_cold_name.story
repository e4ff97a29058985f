A name that nobody asks for again is not asked for either

server 192.0.2.53
  www.example.org 100 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
1 h passes
nothing is sent
