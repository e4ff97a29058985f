/**
 * The Kubernetes and Istio objects that names come from, cut down to what matters for names.
 *
 * @module
 */
import type { HostPort } from "./host_entry.ts";

/** What all of them have. */
export interface ObjectHead {
  /** metadata.name. */
  name: string;
  /** metadata.namespace; `default` where the manifest has none. */
  namespace: string;
  /** Namespaces that may see it: names, `.` for its own, `*` for all, `~` for none. */
  exportTo: string[];
  /** Where it was read, `FILE:LINE`. */
  source: string;
}

/** A Kubernetes Service. */
export interface Service extends ObjectHead {
  /** Which object. */
  kind: "Service";
  /** spec.clusterIPs; empty for a headless Service and for ExternalName. */
  clusterIPs: string[];
  /** clusterIP: None. */
  headless: boolean;
  /** The CNAME target of an ExternalName Service. */
  externalName?: string;
  /** spec.publishNotReadyAddresses. */
  publishNotReadyAddresses: boolean;
  /** spec.ports. */
  ports: HostPort[];
}

/** A Kubernetes EndpointSlice. */
export interface EndpointSlice extends ObjectHead {
  /** Which object. */
  kind: "EndpointSlice";
  /** Name of its Service, from the label kubernetes.io/service-name. */
  serviceName: string;
  /** Its endpoints. */
  endpoints: {
    /** IP literals. */
    addresses: string[];
    /** Host name of the pod; empty where it has none of its own. */
    hostname: string;
    /** conditions.ready; true where it is not said. */
    ready: boolean;
  }[];
}

/** How an Istio ServiceEntry's endpoints are found (ServiceEntry.Resolution). */
export type Resolution = "NONE" | "STATIC" | "DNS" | "DNS_ROUND_ROBIN" | "DYNAMIC_DNS";

/** An Istio ServiceEntry. */
export interface ServiceEntry extends ObjectHead {
  /** Which object. */
  kind: "ServiceEntry";
  /** spec.hosts. */
  hosts: string[];
  /** spec.addresses: IP literals and CIDR ranges. */
  addresses: string[];
  /** status.addresses: VIPs that istiod gave. */
  statusAddresses: {
    /** IP literal. */
    value: string;
    /** Its host; empty where it is for all. */
    host: string;
  }[];
  /** spec.resolution. */
  resolution: Resolution;
  /** The label networking.istio.io/enable-autoallocate-ip is "false". */
  autoAllocateOff: boolean;
  /** spec.ports. */
  ports: HostPort[];
}

/** Any of them. */
export type MeshObject = Service | EndpointSlice | ServiceEntry;
