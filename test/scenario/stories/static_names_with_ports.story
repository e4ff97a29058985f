Static names know their ports: SRV is answered

file /etc/outrigger/mesh.yaml
  kind: Service
  metadata: { name: web, namespace: ns1 }
  spec: { clusterIP: 10.0.0.7, ports: [{ name: http, port: 8080 }] }
config names.files [/etc/outrigger/mesh.yaml]
server 192.0.2.53

the agent starts
client asks _http._tcp.web.ns1.svc.cluster.local SRV
client gets NOERROR, AA
  _http._tcp.web.ns1.svc.cluster.local 30 SRV 0 100 8080 web.ns1.svc.cluster.local
  additional web.ns1.svc.cluster.local 30 A 10.0.0.7
nothing is sent
