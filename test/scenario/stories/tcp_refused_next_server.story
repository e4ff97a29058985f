Where TCP is refused after a truncated answer, the next server is asked

server 192.0.2.53
  www.example.org 60 A 198.51.100.66
  truncates
  refuses TCP
server 192.0.2.54
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, by UDP
server 192.0.2.54 is asked www.example.org A, by UDP
client gets NOERROR
  www.example.org 60 A 198.51.100.7
