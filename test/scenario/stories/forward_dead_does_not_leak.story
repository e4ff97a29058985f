A domain whose own servers are dead fails: its names are not told to others

config dns.forward {corp.example: [192.0.2.60]}
config dns.upstreams [192.0.2.53]
server 192.0.2.53
  vpn.corp.example 60 A 203.0.113.66
server 192.0.2.60
  is silent

the agent starts
client asks vpn.corp.example A
within 4.5 s, client gets SERVFAIL
server 192.0.2.53 is asked nothing
server 192.0.2.60 is asked vpn.corp.example A
other questions do not matter
