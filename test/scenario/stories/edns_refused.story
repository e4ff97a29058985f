A server from before EDNS is asked once more without it

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  refuses EDNS

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A, EDNS 1232
other questions do not matter
client gets NOERROR
  www.example.org 60 A 198.51.100.7
