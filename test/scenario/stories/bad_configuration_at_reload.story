A configuration that is wrong is refused at a reload, and the one before stays

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
config dns.upstreams [192.0.2.53]

the agent starts
config dns.upstreams [everywhere]
the agent reloads
the agent reports CONFIG_REFUSED
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
config dns.upstreams [192.0.2.53]
the agent reloads
the agent reports no problem
