A connection that waits for an answer is not idle

server 192.0.2.53
  is silent

the agent starts
other questions do not matter
client connects
9 s pass
client asks www.example.org A, by TCP
4 s pass
client's connection is open
within 600 ms, client gets SERVFAIL, by TCP
