A client that leaves before its answer costs nothing

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  takes 500 ms

the agent starts
client A asks www.example.org A, by TCP
server 192.0.2.53 is asked www.example.org A
client A disconnects
1 s passes
client A gets nothing
client B asks www.example.org A
client B gets NOERROR
  www.example.org * A 198.51.100.7
no socket towards a server stays open
