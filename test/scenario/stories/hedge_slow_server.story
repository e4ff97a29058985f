A server that is slower than its usual is not waited for: a second one is asked

server 192.0.2.53
  example.org 60 SOA minimum 60
  takes 20 ms
server 192.0.2.54
  example.org 60 SOA minimum 60
  takes 40 ms

the agent starts
other questions do not matter
client asks q{1..20}.example.org A
client gets NXDOMAIN, 20 times
client asks r{1..20}.example.org A
client gets NXDOMAIN, 20 times
server 192.0.2.53 takes 900 ms
client asks late.example.org A
within 400 ms, client gets NXDOMAIN
