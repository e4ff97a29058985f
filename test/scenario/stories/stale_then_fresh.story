The answer that comes after a stale one is kept for those who ask next

server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
server 192.0.2.53 now has www.example.org 60 A 198.51.100.8
server 192.0.2.53 loses the next 2 questions
70 s pass
other questions do not matter
client asks www.example.org A, EDNS 1232
within 1.9 s, client gets NOERROR, EDE 3
  www.example.org 30 A 198.51.100.7
2 s pass
client asks www.example.org A, EDNS 1232
client gets NOERROR, no EDE
  www.example.org * A 198.51.100.8
