/**
 * From mesh objects to the hosts of a name table, as one node may see them, by Istio's rules
 * (pkg/dns/server/name_table.go). Pure.
 *
 * @module
 */
import { isIP } from "node:net";
import type { HostEntry } from "./host_entry.ts";
import type {
  EndpointSlice,
  MeshObject,
  ObjectHead,
  Service,
  ServiceEntry,
} from "./mesh_object.ts";

/** The objects of one cluster. */
export interface ClusterObjects {
  /** Name of the cluster. */
  cluster: string;
  /** Its objects. */
  objects: readonly MeshObject[];
}

/** What the hosts of a table depend on. */
export interface HostEntriesOptions {
  /** E.g. `cluster.local`. */
  clusterDomain: string;
  /** Who will see them. */
  viewer: {
    /** Its namespace: what exportTo is held against. */
    namespace: string;
    /** Its cluster: whose addresses come first. */
    cluster: string;
  };
  /** The automatic VIPs of a ServiceEntry's host; none unless given. */
  vipsOf?: (entry: ServiceEntry, host: string) => readonly string[];
}

/** The hosts, and what could not become one. */
export interface HostEntriesResult {
  /** Sorted by host. */
  entries: HostEntry[];
  /** `FILE:LINE: why`, for objects without a host. */
  notes: string[];
}

/** Makes the hosts of a table. */
export function hostEntries(
  clusters: readonly ClusterObjects[],
  options: HostEntriesOptions,
): HostEntriesResult {
  const { viewer } = options;
  const notes: string[] = [];
  // The viewer's own cluster first: where several have a host, its addresses are the ones to use.
  const ordered = [...clusters].sort((a, b) =>
    Number(b.cluster === viewer.cluster) - Number(a.cluster === viewer.cluster) ||
    (a.cluster < b.cluster ? -1 : 1)
  );
  const hosts = new Map<string, HostEntry>();
  for (const cluster of ordered) addServices(hosts, { cluster, options, notes });
  addServiceEntries(hosts, ordered, { options, notes });
  const entries = [...hosts.values()].filter(({ addresses }) => addresses.length > 0)
    .sort((a, b) => a.host < b.host ? -1 : 1);
  return { entries, notes };
}

/**
 * Services of one cluster: those that a cluster before has already named stay as they are, since a
 * Service of the same name and namespace is the same Service in all clusters of a mesh.
 */
function addServices(
  hosts: Map<string, HostEntry>,
  { cluster, options, notes }: {
    cluster: ClusterObjects;
    options: HostEntriesOptions;
    notes: string[];
  },
): void {
  const slices = slicesByService(cluster.objects);
  const isOwnCluster = cluster.cluster === options.viewer.cluster;
  const before = new Set(hosts.keys());
  const add = (entry: HostEntry) => {
    if (!before.has(entry.host)) hosts.set(entry.host, entry);
  };
  for (const service of cluster.objects) {
    if (service.kind !== "Service" || !isVisible(service, options.viewer.namespace)) continue;
    if (service.externalName !== undefined) {
      notes.push(`${service.source}: Service ${service.name}: ExternalName is not served`);
      continue;
    }
    const domain = `${service.name}.${service.namespace}.svc.${options.clusterDomain}`;
    const host = (name: string, shortName: string, addresses: string[]): HostEntry => ({
      host: name,
      addresses,
      registry: "Kubernetes",
      shortName,
      namespace: service.namespace,
      altHosts: [],
      ports: service.ports,
    });
    if (!service.headless) {
      add(host(domain, service.name, service.clusterIPs));
      continue;
    }
    const endpoints = readyEndpoints(service, slices);
    // Like Kubernetes' own DNS, a headless name means the pods of the cluster that is asked.
    if (isOwnCluster) {
      add(host(domain, service.name, unique(endpoints.flatMap(({ addresses }) => addresses))));
    }
    const pods = Map.groupBy(endpoints.filter((e) => e.hostname !== ""), (e) => e.hostname);
    for (const [hostname, own] of pods) {
      const addresses = unique(own.flatMap((endpoint) => endpoint.addresses));
      add(host(`${hostname}.${domain}`, `${hostname}.${service.name}`, addresses));
    }
  }
}

function slicesByService(objects: readonly MeshObject[]): Map<string, EndpointSlice[]> {
  const slices = objects.filter((object) => object.kind === "EndpointSlice");
  return Map.groupBy(slices, ({ namespace, serviceName }) => `${namespace}/${serviceName}`);
}

function readyEndpoints(service: Service, slices: Map<string, EndpointSlice[]>) {
  return (slices.get(`${service.namespace}/${service.name}`) ?? [])
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ ready }) => ready || service.publishNotReadyAddresses);
}

/** External hosts of all clusters; several entries of one host add up, a Service's host stays its own. */
function addServiceEntries(
  hosts: Map<string, HostEntry>,
  clusters: readonly ClusterObjects[],
  { options, notes }: { options: HostEntriesOptions; notes: string[] },
): void {
  for (const { objects } of clusters) {
    for (const entry of objects) {
      if (entry.kind !== "ServiceEntry" || !isVisible(entry, options.viewer.namespace)) continue;
      for (const name of entry.hosts) {
        const host = name.toLowerCase();
        const addresses = addressesOf(entry, host, options);
        const present = hosts.get(host);
        if (present?.registry === "Kubernetes") continue;
        if (addresses.length === 0) {
          notes.push(
            `${entry.source}: ServiceEntry ${entry.name}: "${host}" has no address to serve`,
          );
        }
        hosts.set(host, {
          host,
          addresses: unique([...present?.addresses ?? [], ...addresses]),
          registry: "External",
          shortName: "",
          namespace: "",
          altHosts: [],
          ports: [...present?.ports ?? [], ...entry.ports],
        });
      }
    }
  }
}

/** Addresses that were given (ranges give none), else those that istiod or this control plane gave. */
function addressesOf(entry: ServiceEntry, host: string, options: HostEntriesOptions): string[] {
  if (entry.addresses.length > 0) return entry.addresses.filter((address) => isIP(address) !== 0);
  const status = entry.statusAddresses
    .filter((address) => address.host === "" || address.host.toLowerCase() === host)
    .map(({ value }) => value);
  return status.length > 0 ? status : [...options.vipsOf?.(entry, host) ?? []];
}

function isVisible({ exportTo, namespace }: ObjectHead, viewerNamespace: string): boolean {
  return exportTo.some((item) =>
    item === "*" || item === viewerNamespace || item === "." && namespace === viewerNamespace
  );
}

function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
