A server from before EDNS is asked without it by TCP too

server 192.0.2.53
  www.example.org 60 A 198.51.100.7
  refuses EDNS
  truncates

the agent starts
other questions do not matter
client asks www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
