What is no question for a resolver of a VM is refused, and tells nothing

server 192.0.2.53

the agent starts
client asks version.bind TXT, class CH
client gets REFUSED
client asks example.org AXFR, by TCP
client gets REFUSED
client asks example.org SOA, opcode 4
client gets NOTIMP
nothing is sent
