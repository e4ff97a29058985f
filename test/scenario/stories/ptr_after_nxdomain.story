Of an address that others gave out the table speaks only where its owner has nothing to say

mesh
  db.example.org 198.51.100.80
  www.example.org 198.51.100.81
server 192.0.2.53
  81.100.51.198.in-addr.arpa 600 PTR front.example.org
  in-addr.arpa 600 SOA minimum 60

the agent starts
client asks 80.100.51.198.in-addr.arpa PTR
server 192.0.2.53 is asked 80.100.51.198.in-addr.arpa PTR
client gets NOERROR
  80.100.51.198.in-addr.arpa 30 PTR db.example.org
client asks 81.100.51.198.in-addr.arpa PTR
server 192.0.2.53 is asked 81.100.51.198.in-addr.arpa PTR
client gets NOERROR, no AA
  81.100.51.198.in-addr.arpa 600 PTR front.example.org
# What is added is never cached: the next table decides anew.
the mesh becomes
  (none)
client asks 80.100.51.198.in-addr.arpa PTR
client gets NXDOMAIN
  authority in-addr.arpa * SOA minimum 60
nothing is sent
