A truncated answer is asked for again by TCP

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  truncates

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, by UDP, EDNS 1232
server 192.0.2.53 is asked www.example.org A, by TCP
client gets NOERROR, no TC, by UDP
  www.example.org 60 A 198.51.100.7
no socket towards a server stays open
