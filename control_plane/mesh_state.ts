/**
 * From objects and VIPs to the name table of each viewer. Nodes of the same namespace and cluster see the
 * same table, which is made and encoded once. Pure but for its cache.
 *
 * @module
 */
import { canonicalAddress } from "../agent/dns/ip_address.ts";
import { type AnyMessage, nameTableResource } from "../agent/mesh/protocol.ts";
import { type ClusterObjects, hostEntries } from "../agent/names/host_entries.ts";
import type { ServiceEntry } from "../agent/names/mesh_object.ts";
import { hostsNeedingVip, vipKey, type VipPair } from "./vip_allocator.ts";

/** Who looks at the mesh. */
export interface Viewer {
  /** Namespace of its identity. */
  namespace: string;
  /** Cluster that it says to be of. */
  cluster: string;
}

/** A table, ready to be sent. */
export interface EncodedTable {
  /** Changes when the table may have changed. */
  version: string;
  /** The NameTable. */
  resource: AnyMessage;
  /** How many hosts it has. */
  hosts: number;
}

/** The mesh at one moment. */
export class MeshState {
  readonly #clusters: readonly ClusterObjects[];
  readonly #vips: ReadonlyMap<string, VipPair>;
  readonly #clusterDomain: string;
  readonly #version: string;
  readonly #tables = new Map<string, EncodedTable>();

  /**
   * Wires the parts; does nothing yet.
   *
   * @param state `version`: unique to it; `vips`: by `vipKey`
   */
  constructor(
    state: {
      clusters: readonly ClusterObjects[];
      vips: ReadonlyMap<string, VipPair>;
      clusterDomain: string;
      version: string;
    },
  ) {
    this.#clusters = state.clusters;
    this.#vips = state.vips;
    this.#clusterDomain = state.clusterDomain;
    this.#version = state.version;
  }

  /** The table that a viewer gets. */
  tableOf(viewer: Viewer): EncodedTable {
    const key = `${viewer.cluster}/${viewer.namespace}`;
    let table = this.#tables.get(key);
    if (table === undefined) this.#tables.set(key, table = this.#encode(viewer));
    return table;
  }

  #encode(viewer: Viewer): EncodedTable {
    const { entries } = hostEntries(this.#clusters, {
      clusterDomain: this.#clusterDomain,
      viewer,
      vipsOf: (entry, host) => {
        const pair = this.#vips.get(vipKey(entry, host));
        return pair === undefined ? [] : [pair.ipv4, pair.ipv6];
      },
    });
    return { version: this.#version, resource: nameTableResource(entries), hosts: entries.length };
  }
}

/** What a set of objects asks of the VIP allocator. */
export function vipDemand(
  clusters: readonly ClusterObjects[],
): { keys: string[]; taken: Set<string> } {
  const entries = clusters.flatMap(({ objects }) =>
    objects.filter((object): object is ServiceEntry => object.kind === "ServiceEntry")
  );
  const chosen = entries.flatMap(({ addresses, statusAddresses }) => [
    ...addresses,
    ...statusAddresses.map(({ value }) => value),
  ]);
  return {
    keys: entries.flatMap((entry) => hostsNeedingVip(entry).map((host) => vipKey(entry, host))),
    taken: new Set(chosen.map(canonicalAddress).filter((address) => address !== undefined)),
  };
}
