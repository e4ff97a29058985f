A client that asks and does not read is cut off; nobody else notices

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53
  big.example.org 600 TXT "0123456789012345678901234567890123456789012345678901234567890123456789" * 500

the agent starts
client A connects
client A asks big.example.org TXT, by TCP
server 192.0.2.53 is asked big.example.org TXT, by UDP
client A gets NOERROR, 1 record, by TCP
client A stops reading
client A asks big.example.org TXT, by TCP
client A asks big.example.org TXT, by TCP
client A asks big.example.org TXT, by TCP
client A asks big.example.org TXT, by TCP
client A's connection is closed
client B asks reviews.ns1 A, by TCP
client B gets NOERROR
  reviews.ns1 30 A 10.0.0.5
