What the operator excludes is never answered from the mesh

mesh
  db.example.org 192.0.2.80
  www.example.net 192.0.2.81
config names.exclude ["*.example.org"]
server 192.0.2.53
  db.example.org 60 A 198.51.100.7

the agent starts
client asks db.example.org A
server 192.0.2.53 is asked db.example.org A
client gets NOERROR, no AA
  db.example.org 60 A 198.51.100.7
client asks www.example.net A
client gets NOERROR, AA
  www.example.net 30 A 192.0.2.81
