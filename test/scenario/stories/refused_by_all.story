What every server refuses is refused, and not asked in circles

server 192.0.2.53
  answers REFUSED
server 192.0.2.54
  answers REFUSED

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
server 192.0.2.54 is asked www.example.org A
client gets REFUSED
5 s pass
nothing is sent
