Of one server alone a question that got lost is asked again after a second

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  loses the next 2 questions

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
within 1 s, server 192.0.2.53 is asked www.example.org A
within 1 s, server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
