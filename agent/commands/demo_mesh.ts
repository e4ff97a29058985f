/**
 * The mesh of `outrigger demo`, as files of a control plane's folder: one folder a cluster.
 *
 * @module
 */

/** A Service with one port. */
function service(name: string, namespace: string, clusterIPs: string[]): string {
  return `apiVersion: v1
kind: Service
metadata:
  name: ${name}
  namespace: ${namespace}
spec:
  clusterIP: ${clusterIPs[0]}
  clusterIPs: [${clusterIPs.map((address) => `"${address}"`).join(", ")}]
  ports:
    - name: http
      port: 9080
`;
}

/** A ServiceEntry for an external database: TCP, so that only its address can tell it apart. */
function database(name: string, host: string): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: ${name}
  namespace: ns1
spec:
  hosts: [${host}]
  location: MESH_EXTERNAL
  resolution: DNS
  ports:
    - { number: 3306, name: tcp, protocol: TCP }
`;
}

/** The files by path below the folder. */
export const DEMO_FILES: Record<string, string> = {
  "Kubernetes/bookinfo.yaml": [
    service("productpage", "ns1", ["10.96.0.11"]),
    service("details", "ns1", ["10.96.0.12", "2001:db8:96::12"]),
    service("ratings", "ns1", ["10.96.0.13"]),
    service("reviews", "ns1", ["10.96.0.14"]),
  ].join("---\n"),
  "Kubernetes/databases.yaml": [
    database("db1", "mysql-instance1.us-east-1.rds.amazonaws.com"),
    database("db2", "mysql-instance2.us-east-1.rds.amazonaws.com"),
  ].join("---\n"),
  "Kubernetes/partners.yaml": `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata:
  name: partners
  namespace: ns1
spec:
  hosts: ["*.partners.example.org"]
  addresses: ["192.0.2.80"]
  location: MESH_EXTERNAL
  resolution: STATIC
  endpoints: [{ address: 192.0.2.80 }]
  ports:
    - { number: 443, name: tls, protocol: TLS }
`,
  "Kubernetes/redis.yaml": `apiVersion: v1
kind: Service
metadata:
  name: redis
  namespace: ns1
spec:
  clusterIP: None
  clusterIPs: ["None"]
  ports:
    - { name: redis, port: 6379 }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: redis-4x7kq
  namespace: ns1
  labels: { kubernetes.io/service-name: redis }
addressType: IPv4
endpoints:
  - { addresses: [10.244.1.5], hostname: redis-0, conditions: { ready: true } }
  - { addresses: [10.244.2.7], hostname: redis-1, conditions: { ready: true } }
ports:
  - { name: redis, port: 6379 }
`,
  "cluster-2/bank.yaml": service("ledger", "bank", ["10.112.0.9"]),
};
