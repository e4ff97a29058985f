A host that joins the mesh is never shadowed by the cache, and is forgotten when it leaves

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  db.example.org 3600 A 198.51.100.7

the agent starts
client asks db.example.org A
server 192.0.2.53 is asked db.example.org A
client gets NOERROR, no AA
  db.example.org 3600 A 198.51.100.7
the mesh becomes
  db.example.org 192.0.2.80
client asks db.example.org A
client gets NOERROR, AA
  db.example.org 30 A 192.0.2.80
10 min pass
the mesh becomes
  reviews.ns1.svc.cluster.local 10.0.0.5
client asks db.example.org A
client gets NOERROR, no AA
  db.example.org * A 198.51.100.7
nothing is sent
