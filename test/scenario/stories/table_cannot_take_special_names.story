No table can take over localhost or the reverse zones

mesh
  localhost 192.0.2.66
  1.0.0.127.in-addr.arpa 192.0.2.66
  reviews.ns1.svc.cluster.local 10.0.0.5

the agent starts
client asks localhost A
client gets NOERROR
  localhost 86400 A 127.0.0.1
client asks 1.0.0.127.in-addr.arpa PTR
client gets NOERROR
  1.0.0.127.in-addr.arpa 86400 PTR localhost
