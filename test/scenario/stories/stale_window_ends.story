What ended more than a day ago is not served any more

server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR, some records
server 192.0.2.53 is silent
25 h pass
other questions do not matter
client asks www.example.org A, EDNS 1232
within 4.5 s, client gets SERVFAIL, EDE 22
