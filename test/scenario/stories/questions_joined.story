Identical questions that are under way are asked once

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  takes 300 ms

the agent starts
client A asks www.example.org A
client B asks www.example.org A
client C asks WWW.example.org A
server 192.0.2.53 is asked www.example.org A
within 300 ms, client A gets NOERROR
  www.example.org 60 A 198.51.100.7
client B gets NOERROR
  www.example.org 60 A 198.51.100.7
client C gets NOERROR
  WWW.example.org 60 A 198.51.100.7
nothing is sent
