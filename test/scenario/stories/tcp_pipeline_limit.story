A connection with more questions than may wait is read on when answers are out

server 192.0.2.53
  takes 200 ms
  example.org 60 SOA minimum 60

the agent starts
other questions do not matter
client connects
client asks q{1..150}.example.org A, by TCP
within 300 ms, client gets NXDOMAIN, 150 times
