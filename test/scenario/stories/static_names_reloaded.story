A changed file of names is in force after a reload, a broken one changes nothing

file /etc/outrigger/mesh.yaml
  kind: Service
  metadata: { name: web, namespace: ns1 }
  spec: { clusterIP: 10.0.0.7 }
server 192.0.2.53
config names.files [/etc/outrigger/mesh.yaml]

the agent starts
file /etc/outrigger/mesh.yaml
  kind: Service
  metadata: { name: web
the agent reloads
the agent reports NAMES_FILE_INVALID
client asks web.ns1 A
client gets NOERROR
  web.ns1 30 A 10.0.0.7
file /etc/outrigger/mesh.yaml
  kind: Service
  metadata: { name: web, namespace: ns1 }
  spec: { clusterIP: 10.0.0.8 }
the agent reloads
the agent reports no problem
client asks web.ns1 A
client gets NOERROR
  web.ns1 30 A 10.0.0.8
