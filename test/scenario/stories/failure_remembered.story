A failure is remembered for a moment, and for no more than five minutes

server 192.0.2.53
  answers SERVFAIL
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets SERVFAIL
500 ms pass
client asks www.example.org A
client gets SERVFAIL
nothing is sent
server 192.0.2.53 is well again
5 min pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
