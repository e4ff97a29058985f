A wildcard host answers under the name that was asked, never under a star

mesh
  *.shop.example.org 192.0.2.81
  www.shop.example.org 192.0.2.82
server 192.0.2.53
  shop.example.org 60 A 198.51.100.9

the agent starts
client asks cart.shop.example.org A
client gets NOERROR, AA
  cart.shop.example.org 30 A 192.0.2.81
client asks a.b.shop.example.org A
client gets NOERROR, AA
  a.b.shop.example.org 30 A 192.0.2.81
# What has a host of its own has nothing of the wildcard.
client asks www.shop.example.org A
client gets NOERROR, AA
  www.shop.example.org 30 A 192.0.2.82
nothing is sent
# The name above the wildcard is not meant by it.
client asks shop.example.org A
server 192.0.2.53 is asked shop.example.org A
client gets NOERROR, no AA
  shop.example.org 60 A 198.51.100.9
