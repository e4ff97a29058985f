Those who joined a question share its failure too

server 192.0.2.53
  is silent

the agent starts
other questions do not matter
client A asks www.example.org A
4 s pass
client B asks www.example.org A
within 500 ms, client A gets SERVFAIL
client B gets SERVFAIL
no socket towards a server stays open
