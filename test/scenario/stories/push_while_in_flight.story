A host that joins the mesh while an upstream server thinks does not wait for it

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  db.example.org 60 A 198.51.100.7
  takes 800 ms

the agent starts
client A asks db.example.org A
server 192.0.2.53 is asked db.example.org A
the mesh becomes
  db.example.org 192.0.2.80
client B asks db.example.org A
client B gets NOERROR, AA
  db.example.org 30 A 192.0.2.80
# Who asked before the push may have either answer.
within 1 s, client A gets NOERROR, 1 record
