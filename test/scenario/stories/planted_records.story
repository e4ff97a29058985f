Records that a server adds for other names reach nobody and are not kept

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  adds to its answers bank.example.net 3600 A 203.0.113.66
  adds to its authorities example.net 3600 NS ns.evil.example
  adds to its additionals ns.evil.example 3600 A 203.0.113.66

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
server 192.0.2.53 is well again
server 192.0.2.53 now has bank.example.net 60 A 198.51.100.20
client asks bank.example.net A
server 192.0.2.53 is asked bank.example.net A
client gets NOERROR
  bank.example.net 60 A 198.51.100.20
