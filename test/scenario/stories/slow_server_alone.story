A server that takes its time is waited for

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  takes 900 ms

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
within 1 s, client gets NOERROR
  www.example.org 60 A 198.51.100.7
no socket towards a server stays open
