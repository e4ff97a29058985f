Aliases that lead in a circle end in SERVFAIL and not in a hang

server 192.0.2.53
  adds to its answers a.example.org 60 CNAME b.example.org
  adds to its answers b.example.org 60 CNAME a.example.org

the agent starts
other questions do not matter
client asks a.example.org A
within 4.5 s, client gets SERVFAIL
no socket towards a server stays open
