Servers that have all become slow are not asked twice for everything

server 192.0.2.53
  example.org 60 SOA minimum 60
  takes 20 ms
server 192.0.2.54
  example.org 60 SOA minimum 60
  takes 20 ms

the agent starts
client asks q{1..20}.example.org A
client gets NXDOMAIN, 20 times
other questions do not matter
server 192.0.2.53 takes 700 ms
server 192.0.2.54 takes 700 ms
client asks r{1..100}.example.org A
within 1.5 s, client gets NXDOMAIN, 100 times
at most 140 questions were sent
no socket towards a server stays open
