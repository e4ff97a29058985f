While a server answers in time nothing stale is served

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  takes 900 ms

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
within 1 s, client gets NOERROR, some records
server 192.0.2.53 now has www.example.org 60 A 198.51.100.8
70 s pass
client asks www.example.org A, EDNS 1232
server 192.0.2.53 is asked www.example.org A
within 1 s, client gets NOERROR, no EDE
  www.example.org 60 A 198.51.100.8
