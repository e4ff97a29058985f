An answer that comes after another server's is not a second answer

server 192.0.2.53
  www.example.org 60 A 198.51.100.66
  takes 3 s
server 192.0.2.54
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
within 1 s, server 192.0.2.54 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
5 s pass
client gets nothing
client asks www.example.org A
client gets NOERROR
  www.example.org * A 198.51.100.7
nothing is sent
