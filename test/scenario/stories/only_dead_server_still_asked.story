Servers that are all thought dead are asked all the same

server 192.0.2.53
  is silent
  www.example.org 60 A 198.51.100.7

the agent starts
other questions do not matter
client asks a.example.org A
within 4.5 s, client gets SERVFAIL
server 192.0.2.53 is well again
client asks www.example.org A
within 1 s, client gets NOERROR
  www.example.org 60 A 198.51.100.7
