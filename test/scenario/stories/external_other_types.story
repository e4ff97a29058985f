Of an external host the addresses are answered here, and its mail by its own servers

mesh
  example.org 192.0.2.80
server 192.0.2.53
  example.org 600 MX 10 mail.example.org

the agent starts
# Address hints would lead clients around the mesh.
client asks example.org HTTPS
client gets NOERROR, AA
  authority example.org 5 SOA minimum 5
client asks example.org SVCB
client gets NOERROR, AA
nothing is sent
client asks example.org MX
server 192.0.2.53 is asked example.org MX
client gets NOERROR, no AA
  example.org 600 MX 10 mail.example.org
