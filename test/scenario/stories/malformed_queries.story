What is no query is dropped, what cannot be read is refused, and the agent goes on

mesh
  reviews.ns1.svc.cluster.local 10.0.0.5
server 192.0.2.53

the agent starts
# Shorter than a header.
client sends 00 01 01 00
client gets nothing
# A response.
client sends 00 02 81 80 00 00 00 00 00 00 00 00
client gets nothing
# No question.
client sends 00 03 01 00 00 00 00 00 00 00 00 00
client gets FORMERR
# A question whose name breaks off.
client sends 00 04 01 00 00 01 00 00 00 00 00 00 03 77 77
client gets FORMERR
# A name that points to itself.
client sends 00 05 01 00 00 01 00 00 00 00 00 00 c0 0c 00 01 00 01
client gets FORMERR
# Two questions: www and ftp.
client sends 00 06 01 00 00 02 00 00 00 00 00 00 03 77 77 77 00 00 01 00 01 03 66 74 70 00 00 01 00 01
client gets FORMERR
client asks reviews.ns1 A
client gets NOERROR
  reviews.ns1 30 A 10.0.0.5
nothing is sent
