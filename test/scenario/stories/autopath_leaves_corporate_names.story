A short name under the VM's own search domain belongs to that domain

mesh
  vpn.default.svc.cluster.local 10.0.0.9
  ledger.bank.svc.cluster.local 10.0.0.8
config dns.searchDomains [default.svc.cluster.local, corp.example]
server 192.0.2.53
  vpn.corp.example 300 A 198.51.100.20
  ledger.bank.corp.example 300 A 198.51.100.21

the agent starts
client asks vpn.corp.example A
server 192.0.2.53 is asked vpn.corp.example A
client gets NOERROR, no AA
  vpn.corp.example 300 A 198.51.100.20
client asks ledger.bank.corp.example A
server 192.0.2.53 is asked ledger.bank.corp.example A
client gets NOERROR, no AA
  ledger.bank.corp.example 300 A 198.51.100.21
