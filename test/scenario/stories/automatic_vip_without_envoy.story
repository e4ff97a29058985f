An automatic VIP is reachable through an Envoy alone: without one the host is asked upstream

mesh
  db.example.org 240.240.0.1
server 192.0.2.53
  db.example.org 60 A 198.51.100.7

the agent starts
client asks db.example.org A
server 192.0.2.53 is asked db.example.org A
client gets NOERROR, no AA
  db.example.org 60 A 198.51.100.7
# An Envoy begins to listen on the port that outbound traffic is redirected to.
file /proc/self/net/tcp
    sl  local_address rem_address   st
     0: 00000000:3A99 00000000:0000 0A
10 s pass
client asks db.example.org A
client gets NOERROR, AA
  db.example.org 30 A 240.240.0.1
nothing is sent
