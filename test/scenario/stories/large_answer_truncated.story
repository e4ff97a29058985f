A client without EDNS gets 512 octets and TC, and all of it by TCP

server 192.0.2.53
  www.example.org 60 TXT "0123456789012345678901234567890123456789012345678901234567890123456789" * 12

the agent starts
client asks www.example.org TXT
server 192.0.2.53 is asked www.example.org TXT
client gets NOERROR, TC, at most 512 octets
client asks www.example.org TXT, by TCP
client gets NOERROR, no TC, by TCP, 1 record, at least 800 octets
client asks www.example.org TXT, EDNS 1232
client gets NOERROR, no TC, by UDP, 1 record, at least 800 octets
nothing is sent
