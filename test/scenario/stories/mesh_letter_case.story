A question comes back as it was written: letter case is a stub's nonce

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  www.example.org 60 A 198.51.100.7

the agent starts
client asks ReViEwS.ns1.SVC.cluster.LOCAL A
client gets NOERROR, AA
  ReViEwS.ns1.SVC.cluster.LOCAL 30 A 10.0.0.5
client asks wWw.exAMPLE.org A
server 192.0.2.53 is asked www.example.org A
client gets NOERROR
  wWw.exAMPLE.org 60 A 198.51.100.7
# The same name in other letters is the same entry of the cache.
client asks WWW.example.ORG A
client gets NOERROR
  WWW.example.ORG 60 A 198.51.100.7
nothing is sent
