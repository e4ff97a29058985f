Truncation keeps every record that fits, whole

mesh
  big.ns1.svc.cluster.local 10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8 10.0.0.9 10.0.0.10 10.0.0.11 10.0.0.12 10.0.0.13 10.0.0.14 10.0.0.15 10.0.0.16 10.0.0.17 10.0.0.18 10.0.0.19 10.0.0.20 10.0.0.21 10.0.0.22 10.0.0.23 10.0.0.24 10.0.0.25 10.0.0.26 10.0.0.27 10.0.0.28 10.0.0.29 10.0.0.30 10.0.0.31 10.0.0.32 10.0.0.33 10.0.0.34 10.0.0.35 10.0.0.36

the agent starts
client asks big.ns1.svc.cluster.local A
client gets NOERROR, TC, 29 records, at most 512 octets
client asks big.ns1.svc.cluster.local A, by TCP
client gets NOERROR, no TC, 36 records
client asks big.ns1.svc.cluster.local A, EDNS 1232
client gets NOERROR, no TC, 36 records
