An answer is served from the cache with its TTL counted down, and asked anew when that is over

server 192.0.2.53
  www.example.org 300 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 300 A 198.51.100.7
100 s pass
client asks www.example.org A
client gets NOERROR, no AA
  www.example.org 200 A 198.51.100.7
nothing is sent
201 s pass
server 192.0.2.53 now has www.example.org 300 A 198.51.100.8
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 300 A 198.51.100.8
