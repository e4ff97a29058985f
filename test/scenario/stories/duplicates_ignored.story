An answer that the network doubles is one answer to the client

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  answers twice

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
5 s pass
client gets nothing
