A stale answer does not stand above a table that has the name now

server 192.0.2.53
  db.example.org 60 A 198.51.100.7

the agent starts
client asks db.example.org A
server 192.0.2.53 is asked db.example.org A
client gets NOERROR, some records
server 192.0.2.53 is silent
70 s pass
the mesh becomes
  db.example.org 192.0.2.80
client asks db.example.org A, EDNS 1232
client gets NOERROR, AA, no EDE
  db.example.org 30 A 192.0.2.80
nothing is sent
