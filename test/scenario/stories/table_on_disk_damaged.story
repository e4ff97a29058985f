A damaged table on the disk is passed over, and the next one heals everything

mesh
  reviews.ns1.svc.cluster.local 10.0.0.4
the table on the disk is damaged
server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
the agent reports SAVED_TABLE_DAMAGED
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
the mesh becomes
  reviews.ns1.svc.cluster.local 10.0.0.5
the agent reports no problem
client asks reviews.ns1 A
client gets NOERROR, AA
  reviews.ns1 30 A 10.0.0.5
