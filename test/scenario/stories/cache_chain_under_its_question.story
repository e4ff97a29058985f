The records of a chain are not kept under their own names: nobody can plant one

server 192.0.2.53
  www.example.org 3600 CNAME web.example.net
  web.example.net 3600 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 3600 CNAME web.example.net
  web.example.net 3600 A 198.51.100.7
client asks web.example.net A
server 192.0.2.53 is asked web.example.net A
client gets NOERROR
  web.example.net 3600 A 198.51.100.7
