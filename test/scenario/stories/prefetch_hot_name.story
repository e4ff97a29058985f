A name that is asked for again and again is asked for anew before it ends, and nobody waits

server 192.0.2.53
  www.example.org 100 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
50 s pass
client asks www.example.org A
client gets NOERROR, some records
nothing is sent
45 s pass
client asks www.example.org A
client gets NOERROR
  www.example.org 5 A 198.51.100.7
server 192.0.2.53 is asked www.example.org A
10 s pass
client asks www.example.org A
client gets NOERROR
  www.example.org * A 198.51.100.7
nothing is sent
