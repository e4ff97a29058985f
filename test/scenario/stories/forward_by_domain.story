A domain that has servers of its own is asked of them and of nobody else

config dns.forward {corp.example: [192.0.2.60]}
config dns.upstreams [192.0.2.53]
server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  vpn.corp.example 60 A 203.0.113.66
server 192.0.2.60
  vpn.corp.example 60 A 198.51.100.20
  www.example.org 60 A 203.0.113.66

the agent starts
client asks vpn.corp.example A
server 192.0.2.60 is asked vpn.corp.example A
client gets NOERROR
  vpn.corp.example 60 A 198.51.100.20
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
nothing is sent
