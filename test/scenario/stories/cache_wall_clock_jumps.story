A wall clock that jumps changes the age of nothing

server 192.0.2.53
  www.example.org 300 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 300 A 198.51.100.7
the wall clock jumps 30 d ahead
100 s pass
client asks www.example.org A
client gets NOERROR
  www.example.org 200 A 198.51.100.7
the wall clock jumps 90 d back
100 s pass
client asks www.example.org A
client gets NOERROR
  www.example.org 100 A 198.51.100.7
nothing is sent
101 s pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 300 A 198.51.100.7
