A reload asks other servers from then on, and keeps the cache

server 192.0.2.53
  www.example.org 600 A 198.51.100.7
server 192.0.2.54
  ftp.example.org 600 A 198.51.100.8
config dns.upstreams [192.0.2.53]

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 600 A 198.51.100.7
config dns.upstreams [192.0.2.54]
the agent reloads
client asks ftp.example.org A
server 192.0.2.54 is asked ftp.example.org A
client gets NOERROR
  ftp.example.org 600 A 198.51.100.8
nothing is sent
