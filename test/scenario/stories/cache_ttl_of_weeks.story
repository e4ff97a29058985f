No answer is kept longer than a day, whatever its TTL

server 192.0.2.53
  www.example.org 1209600 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
23 h pass
client asks www.example.org A
client gets NOERROR
  www.example.org 3600 A 198.51.100.7
nothing is sent
61 min pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
