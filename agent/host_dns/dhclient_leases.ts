/**
 * The format of dhclient.leases(5): leases of ISC's DHCP client, the newest of an interface last. Pure.
 *
 * @module
 */
import { parseAddress } from "../dns/ip_address.ts";
import { parseName } from "../dns/name.ts";
import { unique } from "./dns_scope.ts";

/** What the leases in force say. */
export interface DhclientLeases {
  /** IP literals, in order. */
  nameservers: string[];
  /** Canonical search domains. */
  searchDomains: string[];
}

/** Values of one lease by option; what tells its interface and family apart from others. */
interface Lease {
  family: string;
  interface: string;
  options: Map<string, string[]>;
}

/**
 * Reads a file of leases: of each interface and family the last whole lease counts, also where it
 * expired: a client that is gone leaves its last lease behind, and the interface its address.
 */
export function parseDhclientLeases(text: string): DhclientLeases {
  const leases = new Map<string, Lease>();
  let lease: Lease | undefined;
  for (const line of text.split("\n")) {
    const start = /^(lease6?)\s*\{/.exec(line);
    if (start !== null) {
      lease = { family: start[1], interface: "", options: new Map() };
    } else if (line.startsWith("}") && lease !== undefined) {
      const key = `${lease.family} ${lease.interface}`;
      // The newest goes to the end: of two interfaces the one that leased last is asked first.
      leases.delete(key);
      leases.set(key, lease);
      lease = undefined;
    } else if (lease !== undefined) {
      const [, isOption, name, value] = /^\s+(option )?\s*([\w.-]+) ([^;]*);/.exec(line) ?? [];
      const values = value?.split(/[\s,]+/).map((word) => word.replaceAll('"', "")) ?? [];
      if (isOption !== undefined) lease.options.set(name, values);
      else if (name === "interface") lease.interface = values[0];
    }
  }
  const newestFirst = [...leases.values()].reverse();
  const valuesOf = (...names: string[]) =>
    newestFirst.flatMap(({ options }) => names.flatMap((name) => options.get(name) ?? []));
  const search = valuesOf("domain-search", "dhcp6.domain-search");
  return {
    nameservers: unique(
      valuesOf("domain-name-servers", "dhcp6.name-servers")
        .filter((address) => parseAddress(address) !== undefined),
    ),
    searchDomains: unique(
      (search.length > 0 ? search : valuesOf("domain-name"))
        .map((text) => parseName(text))
        .filter((name): name is string => name !== undefined && name !== ""),
    ),
  };
}
