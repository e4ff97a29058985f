A network that was away answers as soon as it is back

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  is silent

the agent starts
other questions do not matter
client asks www.example.org A
within 4.5 s, client gets SERVFAIL
20 min pass
client asks ftp.example.org A
within 4.5 s, client gets SERVFAIL
server 192.0.2.53 is well again
5 min pass
client asks www.example.org A
within 1 s, client gets NOERROR
  www.example.org 60 A 198.51.100.7
