Where somebody guesses three times, the question goes where nobody can

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  is preceded by 3 answers with another id

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, by UDP
server 192.0.2.53 is asked www.example.org A, by TCP
client gets NOERROR
  www.example.org 60 A 198.51.100.7
no socket towards a server stays open
