/**
 * One host of the mesh as a source names it, before anything is checked: the common input of the name
 * table, whether it came over NDS, from the saved table, or from static files.
 *
 * @module
 */

/** A port of a service, for SRV answers. NDS does not carry ports. */
export interface HostPort {
  /** Name of the port, e.g. `http`; ports without a name get no SRV record. */
  name: string;
  /** `tcp` or `udp`. */
  protocol: "tcp" | "udp";
  /** 1 to 65535. */
  port: number;
}

/**
 * One host with its addresses, the fields of Istio's NameTable.NameInfo (pkg/dns/proto/nds.proto) and,
 * where the source knows more than NDS carries, ports. Untrusted: nothing here is validated.
 */
export interface HostEntry {
  /** Full name without a dot at its end; `*.example.com` for a wildcard. */
  host: string;
  /** IP literals. */
  addresses: string[];
  /** `Kubernetes` or `External`; others are treated as external. */
  registry: string;
  /** Name of the Service (for a pod of a headless one `pod.service`); empty unless Kubernetes. */
  shortName: string;
  /** Namespace of the Service; empty unless Kubernetes. */
  namespace: string;
  /** Further full names with the same addresses. */
  altHosts: string[];
  /** Ports, where the source tells them. */
  ports?: HostPort[];
}
