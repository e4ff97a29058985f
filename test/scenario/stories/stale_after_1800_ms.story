An answer that ended is served stale when the servers take too long

server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
server 192.0.2.53 is silent
70 s pass
other questions do not matter
client asks www.example.org A, EDNS 1232
1.7 s pass
client gets nothing
within 200 ms, client gets NOERROR, EDE 3
  www.example.org 30 A 198.51.100.7
