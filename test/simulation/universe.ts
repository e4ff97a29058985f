/**
 * The names of the simulated world, and values that say whose they are and how old: every address and
 * serial number carries the index of its name and a version, so that an answer alone tells what it is.
 *
 * @module
 */
import { formatAddress, parseAddress } from "../../agent/dns/ip_address.ts";

/** Namespaces of the services. */
const NAMESPACES = ["default", "ns1"];
/** Search domains of the simulated VM: those of the mesh, and one of its own. */
export const SEARCH_DOMAINS = [
  "default.svc.cluster.local",
  "svc.cluster.local",
  "cluster.local",
  "corp.example",
];
/** Services of Kubernetes. */
export const SERVICES: readonly string[] = Array.from(
  { length: 8 },
  (_, i) => `s${i}.${NAMESPACES[i % NAMESPACES.length]}.svc.cluster.local`,
);
/** Hosts of the outside that a table may hold; upstream servers know them too. */
export const EXTERNAL_HOSTS: readonly string[] = Array.from(
  { length: 5 },
  (_, i) => `h${i}.example.com`,
);
/** Every host that a table may hold. */
export const MESH_HOSTS: readonly string[] = [...SERVICES, ...EXTERNAL_HOSTS];
/** Names that upstream servers alone know. */
export const PUBLIC_NAMES: readonly string[] = Array.from(
  { length: 16 },
  (_, i) => `n${i}.example.org`,
);
/** Names with a history of versions. */
export const VERSIONED_NAMES: readonly string[] = [...PUBLIC_NAMES, ...EXTERNAL_HOSTS];
/** Aliases, and where they lead: to public names, and to hosts that may be the mesh's. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ["a0.example.net", PUBLIC_NAMES[0]],
  ["a1.example.net", PUBLIC_NAMES[1]],
  ["m0.example.net", EXTERNAL_HOSTS[0]],
  ["m1.example.net", EXTERNAL_HOSTS[1]],
]);

/** A value's name and version. */
export interface Version {
  /** Index in {@link VERSIONED_NAMES} or {@link MESH_HOSTS}. */
  index: number;
  /** Counts up with each change of the name. */
  version: number;
}

/** What a forger's answers hold; no answer to a client may. */
export const POISON = "203.0.113.66";
const VERSION_BITS = 12;

/** Index and version as one number of 17 bits. */
export function packVersion({ index, version }: Version): number {
  return index << VERSION_BITS | version & (1 << VERSION_BITS) - 1;
}

/** See {@link packVersion}. */
export function unpackVersion(packed: number): Version {
  return { index: packed >> VERSION_BITS, version: packed & (1 << VERSION_BITS) - 1 };
}

/** The address of a version: of 198.18.0.0/15 upstream, of 10.0.0.0/8 in the mesh. */
export function addressOf(version: Version, where: "upstream" | "mesh"): string {
  const packed = packVersion(version);
  const [first, second] = where === "upstream" ? [198, 18] : [10, 0];
  return [first, second + (packed >> 16), packed >> 8 & 0xff, packed & 0xff].join(".");
}

/** The IPv6 address of a version. */
export function ipv6AddressOf({ index, version }: Version): string {
  return formatAddress(parseAddress(`2001:db8:0:${index.toString(16)}::${version.toString(16)}`)!);
}

/** See {@link addressOf}; undefined for an address that nobody of this world gives. */
export function versionOfAddress(
  address: string,
): Version & { where: "upstream" | "mesh" } | undefined {
  const octets = parseAddress(address);
  if (octets === undefined) return undefined;
  if (octets.length === 16) {
    const version = octets[14] << 8 | octets[15];
    return { index: octets[6] << 8 | octets[7], version, where: "upstream" };
  }
  const low = octets[2] << 8 | octets[3];
  if (octets[0] === 10) return { ...unpackVersion(octets[1] << 16 | low), where: "mesh" };
  if (octets[0] !== 198) return undefined;
  return { ...unpackVersion((octets[1] - 18) << 16 | low), where: "upstream" };
}
