A right answer from a wrong port is no answer

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  is preceded by 2 answers from port 5353

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, by UDP
client gets NOERROR
  www.example.org 60 A 198.51.100.7
nothing is sent
