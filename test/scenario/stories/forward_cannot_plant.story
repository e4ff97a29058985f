The servers of one domain cannot say what is in another

config dns.forward {corp.example: [192.0.2.60]}
config dns.upstreams [192.0.2.53]
server 192.0.2.53
  bank.example.org 60 A 198.51.100.20
server 192.0.2.60
  www.corp.example 300 CNAME bank.example.org
  bank.example.org 300 A 203.0.113.66

the agent starts
client asks www.corp.example A
server 192.0.2.60 is asked www.corp.example A
server 192.0.2.53 is asked bank.example.org A
client gets NOERROR
  www.corp.example 60 CNAME bank.example.org
  bank.example.org 60 A 198.51.100.20
