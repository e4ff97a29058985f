A version of EDNS that does not exist yet gets BADVERS

server 192.0.2.53

the agent starts
client asks www.example.org A, EDNS version 1
client gets BADVERS, EDNS 1232
nothing is sent
