Without servers of its own the agent asks those of resolv.conf

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
file /etc/resolv.conf
  nameserver 192.0.2.54
server 192.0.2.53
server 192.0.2.54
  www.example.org 60 A 198.51.100.7

the agent starts
client asks www.example.org A
server 192.0.2.54 is asked www.example.org A
client gets NOERROR
  www.example.org 60 A 198.51.100.7
nothing is sent
