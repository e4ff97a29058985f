Each search domain is cut off, not only the first

mesh
  db.example.org 192.0.2.80
file /etc/resolv.conf
  nameserver 192.0.2.53
  search corp.example lab.example
server 192.0.2.53

the agent starts
client asks db.example.org.svc.cluster.local A
client gets NOERROR
  db.example.org.svc.cluster.local 30 CNAME db.example.org
  db.example.org 30 A 192.0.2.80
client asks db.example.org.corp.example A
client gets NOERROR
  db.example.org.corp.example 30 CNAME db.example.org
  db.example.org 30 A 192.0.2.80
client asks db.example.org.lab.example A
client gets NOERROR
  db.example.org.lab.example 30 CNAME db.example.org
  db.example.org 30 A 192.0.2.80
nothing is sent
