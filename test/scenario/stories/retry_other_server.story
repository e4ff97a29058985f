A question that gets lost costs a second at most: then the next server is asked

server 192.0.2.53
  is silent
server 192.0.2.54
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, by UDP
client gets nothing
within 1 s, server 192.0.2.54 is asked www.example.org A, by UDP
client gets NOERROR, RA, no AA, no TC
  www.example.org 60 A 198.51.100.7
nothing is sent
no socket towards a server stays open
