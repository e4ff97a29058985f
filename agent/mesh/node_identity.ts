/**
 * Who this node says it is: its SPIFFE id, and the node id and metadata of the discovery protocol as
 * Istio's agent sends them (pkg/model/proxy.go, pkg/bootstrap/config.go). Pure.
 *
 * @module
 */
import type { DiscoveryNode } from "./protocol.ts";

/** This node, as configured. */
export interface MeshNode {
  /** Name. */
  name: string;
  /** Namespace. */
  namespace: string;
  /** Service account. */
  serviceAccount: string;
  /** Cluster that it belongs to. */
  cluster: string;
  /** Network; empty for none. */
  network: string;
  /** Trust domain. */
  trustDomain: string;
  /** Cluster domain. */
  clusterDomain: string;
  /** Its addresses; the first is its own name for itself. */
  addresses: readonly string[];
  /** Labels of its workload. */
  labels: Readonly<Record<string, string>>;
  /** Mesh id; empty for none. */
  meshId: string;
  /** Istio revision. */
  revision: string;
}

/** The version of Istio whose protocol is spoken: control planes decide by it what they may send. */
const ISTIO_VERSION = "1.27.0";

/** The SPIFFE id of this node's workload. */
export function spiffeIdOf(
  { trustDomain, namespace, serviceAccount }: Pick<
    MeshNode,
    "trustDomain" | "namespace" | "serviceAccount"
  >,
): string {
  return `spiffe://${trustDomain}/ns/${namespace}/sa/${serviceAccount}`;
}

/** The node of a discovery request. */
export function discoveryNode(node: MeshNode): DiscoveryNode {
  // A node without an address of its own is still a node: Istio takes the loopback address then.
  const address = node.addresses[0] ?? "127.0.0.1";
  const { name, namespace } = node;
  const metadata: Record<string, unknown> = {
    NAME: name,
    NAMESPACE: namespace,
    SERVICE_ACCOUNT: node.serviceAccount,
    CLUSTER_ID: node.cluster,
    NETWORK: node.network,
    INSTANCE_IPS: node.addresses.join(","),
    LABELS: { ...node.labels },
    MESH_ID: node.meshId,
    ISTIO_VERSION,
    ISTIO_REVISION: node.revision,
    DNS_CAPTURE: "true",
    DNS_AUTO_ALLOCATE: "true",
  };
  for (const [key, value] of Object.entries(metadata)) {
    if (value === "") delete metadata[key];
  }
  return {
    id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.${node.clusterDomain}`,
    cluster: `${name}.${namespace}`,
    metadata,
  };
}
