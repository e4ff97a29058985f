A search domain is cut off before a wildcard is looked for

mesh
  *.shop.example.org 192.0.2.81
server 192.0.2.53

the agent starts
client asks cart.shop.example.org.svc.cluster.local A
client gets NOERROR, AA
  cart.shop.example.org.svc.cluster.local 30 CNAME cart.shop.example.org
  cart.shop.example.org 30 A 192.0.2.81
nothing is sent
