A negative answer without a SOA is not remembered

server 192.0.2.53
  www.example.org 600 A 198.51.100.7

the agent starts
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
client asks nobody.example.org A
server 192.0.2.53 is asked nobody.example.org A
client gets NXDOMAIN
client asks www.example.org TXT
server 192.0.2.53 is asked www.example.org TXT
client gets NOERROR
client asks www.example.org TXT
server 192.0.2.53 is asked www.example.org TXT
client gets NOERROR
