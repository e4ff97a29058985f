What this cache may not keep, no cache behind it may keep either, from the first answer on

server 192.0.2.53
  www.example.org 1209600 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 86400 A 198.51.100.7
