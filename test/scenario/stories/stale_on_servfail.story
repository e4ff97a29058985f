An answer that ended is better than SERVFAIL

server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
server 192.0.2.53 answers SERVFAIL
70 s pass
client asks www.example.org A, EDNS 1232
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, EDE 3
  www.example.org 30 A 198.51.100.7
# The servers are not asked again at once.
5 s pass
client asks www.example.org A, EDNS 1232
client gets NOERROR, EDE 3
  www.example.org 30 A 198.51.100.7
nothing is sent
