Where the operator says so, no public name may lead to a private address

config dns.rebindProtection true
server 192.0.2.53
  evil.example.org 60 A 10.0.0.9
  good.example.org 60 A 198.51.100.7

the agent starts
client asks evil.example.org A, EDNS 1232
server 192.0.2.53 is asked evil.example.org A
client gets NOERROR, EDE 15
client asks good.example.org A, EDNS 1232
server 192.0.2.53 is asked good.example.org A
client gets NOERROR, no EDE
  good.example.org 60 A 198.51.100.7
