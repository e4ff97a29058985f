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
  /** Its addresses; the first is its own name for itself. istiod gives names of their families. */
  addresses: readonly string[];
  /** Whether names with nothing but automatic VIPs are wanted. */
  wantsAutoAllocated: boolean;
  /** Labels of its workload. */
  labels: Readonly<Record<string, string>>;
  /** Mesh id; empty for none. */
  meshId: string;
  /** Istio revision. */
  revision: string;
  /** WorkloadGroup that it is one of. */
  workloadGroup?: string;
  /** Whether istiod shall make a WorkloadEntry for it. */
  register: boolean;
}

/**
 * The Istio whose agent this node behaves like. istiod warns where there is none, and holds it against
 * the version of EnvoyFilters alone (pilot/pkg/model/envoyfilter.go).
 */
const ISTIO_VERSION = "1.31.0";

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
    WORKLOAD_NAME: node.workloadGroup,
    AUTO_REGISTER_GROUP: node.register ? node.workloadGroup : undefined,
    // istiod leaves automatic VIPs out for nodes that do not say both (pilot/pkg/model/service.go).
    DNS_CAPTURE: String(node.wantsAutoAllocated),
    DNS_AUTO_ALLOCATE: String(node.wantsAutoAllocated),
  };
  for (const [key, value] of Object.entries(metadata)) {
    if (value === "" || value === undefined) delete metadata[key];
  }
  return {
    id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.${node.clusterDomain}`,
    cluster: `${name}.${namespace}`,
    metadata,
  };
}
