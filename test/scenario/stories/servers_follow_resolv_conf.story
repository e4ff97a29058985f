Another resolv.conf is in force without a reload, and an empty one changes nothing

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
file /etc/resolv.conf
  nameserver 192.0.2.53
server 192.0.2.53
  example.org 60 SOA minimum 60
server 192.0.2.54
  example.org 60 SOA minimum 60

the agent starts
client asks a.example.org A
server 192.0.2.53 is asked a.example.org A
client gets NXDOMAIN
file /etc/resolv.conf
  nameserver 192.0.2.54
10 s pass
client asks b.example.org A
server 192.0.2.54 is asked b.example.org A
client gets NXDOMAIN
file /etc/resolv.conf
10 s pass
client asks c.example.org A
server 192.0.2.54 is asked c.example.org A
client gets NXDOMAIN
