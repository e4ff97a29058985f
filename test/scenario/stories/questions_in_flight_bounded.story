Past its limit the agent refuses new questions at once, and mesh names go on

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  takes 800 ms
  example.org 60 SOA minimum 60

the agent starts
other questions do not matter
client asks q{1..2500}.example.org A
client A asks one-too-many.example.org A
client A gets SERVFAIL
client B asks reviews.ns1 A
client B gets NOERROR
  reviews.ns1 30 A 10.0.0.5
client gets SERVFAIL, 1500 times
within 1 s, client gets NXDOMAIN, 1000 times
no socket towards a server stays open
