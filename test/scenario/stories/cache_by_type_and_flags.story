What may change an answer is part of its place in the cache: type, DO, CD

server 192.0.2.53
  www.example.org 300 A 198.51.100.7
  www.example.org 300 AAAA 2001:db8::7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, no DO, no CD
client gets NOERROR
  www.example.org 300 A 198.51.100.7
client asks www.example.org AAAA
server 192.0.2.53 is asked www.example.org AAAA, no DO, no CD
client gets NOERROR
  www.example.org 300 AAAA 2001:db8::7
client asks www.example.org A, DO
server 192.0.2.53 is asked www.example.org A, DO, no CD
client gets NOERROR, DO
  www.example.org 300 A 198.51.100.7
client asks www.example.org A, CD
server 192.0.2.53 is asked www.example.org A, no DO, CD
client gets NOERROR, CD
  www.example.org 300 A 198.51.100.7
client asks www.example.org A
client gets NOERROR, no CD
  www.example.org 300 A 198.51.100.7
nothing is sent
