An answer with TTL 0 is for those who asked and for nobody after them

server 192.0.2.53
  www.example.org 0 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 0 A 198.51.100.7
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 0 A 198.51.100.7
