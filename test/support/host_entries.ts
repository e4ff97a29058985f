/**
 * Hosts as a control plane names them, for tests.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";

/** A host of a ServiceEntry. */
export function externalEntry(
  host: string,
  addresses: string[],
  more: Partial<HostEntry> = {},
): HostEntry {
  const blank = { registry: "External", shortName: "", namespace: "", altHosts: [] };
  return { host, addresses, ...blank, ...more };
}

/** A Kubernetes Service of cluster.local, as `name.namespace`. */
export function serviceEntry(
  name: string,
  addresses: string[],
  more: Partial<HostEntry> = {},
): HostEntry {
  const dot = name.lastIndexOf(".");
  return {
    host: `${name}.svc.cluster.local`,
    addresses,
    registry: "Kubernetes",
    shortName: name.slice(0, dot),
    namespace: name.slice(dot + 1),
    altHosts: [],
    ...more,
  };
}
