A right answer from a wrong address is no answer

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  is preceded by 2 answers from 203.0.113.66

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, by UDP
client gets NOERROR
  www.example.org 60 A 198.51.100.7
nothing is sent
