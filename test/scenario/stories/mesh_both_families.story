A service with both families gives each to whom it is asked for

mesh
  web.ns1.svc.cluster.local 10.0.0.5 2001:db8::5

the agent starts
client asks web.ns1.svc.cluster.local A
client gets NOERROR
  web.ns1.svc.cluster.local 30 A 10.0.0.5
client asks web.ns1.svc.cluster.local AAAA
client gets NOERROR
  web.ns1.svc.cluster.local 30 AAAA 2001:db8::5
