An agent that is told to end answers what it was asked before

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  takes 800 ms

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
the agent stops
client gets NOERROR
  www.example.org 60 A 198.51.100.7
no socket towards a server stays open
