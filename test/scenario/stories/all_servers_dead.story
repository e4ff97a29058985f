With every server dead the client has its SERVFAIL before its own patience ends

server 192.0.2.53
  is silent
server 192.0.2.54
  is silent

the agent starts
other questions do not matter
client asks www.example.org A, EDNS 1232
within 4.5 s, client gets SERVFAIL, EDE 22, no AA
no socket towards a server stays open
