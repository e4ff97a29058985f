Answers that overtake each other go to those who asked for them

server 192.0.2.53
  slow.example.org 60 A 198.51.100.7
  quick.example.org 60 A 198.51.100.8
  takes 400 ms for slow.example.org

the agent starts
client A asks slow.example.org A
client B asks quick.example.org A
server 192.0.2.53 is asked slow.example.org A
server 192.0.2.53 is asked quick.example.org A
client B gets NOERROR
  quick.example.org 60 A 198.51.100.8
client A gets nothing
within 400 ms, client A gets NOERROR
  slow.example.org 60 A 198.51.100.7
