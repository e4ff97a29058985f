EDNS is made anew on each side

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  ignores EDNS

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, EDNS 1232
client gets NOERROR, no EDNS
  www.example.org 60 A 198.51.100.7
client asks www.example.org A, EDNS 4096
client gets NOERROR, EDNS 1232
  www.example.org 60 A 198.51.100.7
nothing is sent
