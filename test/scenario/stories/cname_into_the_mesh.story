A public alias of a mesh host leads into the mesh, and follows each push

mesh
  db.example.org 192.0.2.80
server 192.0.2.53
  alias.example.net 600 CNAME db.example.org
  db.example.org 600 A 198.51.100.7

the agent starts
client asks alias.example.net A
server 192.0.2.53 is asked alias.example.net A
client gets NOERROR, no AA
  alias.example.net 600 CNAME db.example.org
  db.example.org 30 A 192.0.2.80
the mesh becomes
  db.example.org 192.0.2.99
100 s pass
client asks alias.example.net A
client gets NOERROR, no AA
  alias.example.net 500 CNAME db.example.org
  db.example.org 30 A 192.0.2.99
nothing is sent
