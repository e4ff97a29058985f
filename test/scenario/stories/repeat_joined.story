A stub that repeats its question joins what is under way

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  takes 900 ms

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
500 ms pass
client asks again
client gets nothing
within 500 ms, client gets NOERROR, 2 times
  www.example.org 60 A 198.51.100.7
nothing is sent
