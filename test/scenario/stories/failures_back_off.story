A name that fails again and again is asked less and less often (RFC 9520)

server 192.0.2.53
  answers SERVFAIL

the agent starts
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets SERVFAIL
1 s passes
client asks www.example.org A
client gets SERVFAIL
nothing is sent
5 s pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets SERVFAIL
# The second failure lasts longer than the first could.
2.5 s pass
client asks www.example.org A
client gets SERVFAIL
nothing is sent
# And none lasts longer than five minutes.
5 min pass
client asks www.example.org A
server 192.0.2.53 is asked www.example.org A
client gets SERVFAIL
