DO and CD are the client's to set; the agent passes them on

server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A, DO, CD
server 192.0.2.53 is asked www.example.org A, EDNS 1232, DO, CD
client gets NOERROR, DO, CD, EDNS 1232
  www.example.org 60 A 198.51.100.7
