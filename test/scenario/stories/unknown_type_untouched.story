A type that nobody knows passes as it is

server 192.0.2.53
  www.example.org 300 TYPE65280 \# 4 de ad be ef

the agent starts
client asks www.example.org TYPE65280
server 192.0.2.53 is asked www.example.org TYPE65280
client gets NOERROR
  www.example.org 300 TYPE65280 \# 4 de ad be ef
client asks www.example.org TYPE65280
client gets NOERROR
  www.example.org 300 TYPE65280 \# 4 de ad be ef
nothing is sent
