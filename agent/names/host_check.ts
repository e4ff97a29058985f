/**
 * What a name table takes: checks the entries of a source, whoever wrote it. Pure.
 *
 * @module
 */
import { parseAddress } from "../dns/ip_address.ts";
import { isBelow, isWithin, parseName } from "../dns/name.ts";
import type { HostEntry, HostPort } from "./host_entry.ts";

/** What of an entry may be served. */
export interface CheckedHost {
  /** Canonical full name; `*.example.com` for a wildcard. */
  host: string;
  /** Addresses of 4 or 16 octets, without duplicates, in the order given; at least one. */
  addresses: Uint8Array[];
  /** Whether it is a Kubernetes Service (or a pod of one), as opposed to a ServiceEntry's host. */
  kubernetes: boolean;
  /** Name of the Service; empty for others. */
  shortName: string;
  /** Namespace of the Service; empty for others. */
  namespace: string;
  /** Canonical further names. */
  altHosts: string[];
  /** Ports, where known. */
  ports: HostPort[];
}

/** The most addresses of one host; a DNS message has no room for more than some 4,000. */
export const HOST_ADDRESSES_MAX = 0xffff;

/** What no table may answer for, whatever it says: these belong to the resolver itself. */
const RESERVED_DOMAINS = ["localhost", "invalid", "onion", "in-addr.arpa", "ip6.arpa"];

/** Checks one entry; undefined, with the reason reported, when nothing of it can be served. */
export function checkHost(
  entry: HostEntry,
  reject: (reason: string) => void,
): CheckedHost | undefined {
  const host = parseName(entry.host);
  if (host === undefined || host === "") {
    reject("not a domain name: each label has 1 to 63 octets, the whole at most 255");
    return undefined;
  }
  const base = host.startsWith("*.") ? host.slice(2) : host;
  if (base.includes("*")) {
    reject("a wildcard is a whole label and the first one");
    return undefined;
  }
  if (RESERVED_DOMAINS.some((domain) => isWithin(base, domain))) {
    reject("reserved: a name table may not answer for it");
    return undefined;
  }
  const addresses = checkedAddresses(entry.addresses, reject);
  if (addresses.length === 0) {
    reject("no usable address");
    return undefined;
  }
  return {
    host,
    addresses,
    kubernetes: entry.registry === "Kubernetes",
    shortName: entry.shortName.toLowerCase(),
    namespace: entry.namespace.toLowerCase(),
    altHosts: entry.altHosts.flatMap((text) => checkedAlias(text, reject)),
    ports: entry.ports ?? [],
  };
}

function checkedAddresses(
  texts: readonly string[],
  reject: (reason: string) => void,
): Uint8Array[] {
  const addresses: Uint8Array[] = [];
  // Most hosts have one address, which nothing can be equal to.
  const seen = texts.length > 1 ? new Set<string>() : undefined;
  for (const text of texts) {
    const address = parseAddress(text);
    if (address === undefined) {
      reject(`not an IP address: "${text.slice(0, 60)}"`);
      continue;
    }
    const key = seen && address.join();
    if (key !== undefined && seen!.has(key)) continue;
    if (addresses.length === HOST_ADDRESSES_MAX) {
      reject(`more than ${HOST_ADDRESSES_MAX} addresses: the others are left out`);
      break;
    }
    if (key !== undefined) seen!.add(key);
    addresses.push(address);
  }
  return addresses;
}

function checkedAlias(text: string, reject: (reason: string) => void): string[] {
  const alias = parseName(text);
  const usable = alias !== undefined && alias !== "" && !alias.includes("*") &&
    !RESERVED_DOMAINS.some((domain) => isWithin(alias, domain));
  if (!usable) reject(`alias "${text.slice(0, 300)}" left out: not a name that may be served`);
  return usable ? [alias] : [];
}

/** What tells the canonical names that `names.exclude` leaves out. */
export function excludeMatcher(patterns: readonly string[]): (name: string) => boolean {
  const names = new Set<string>();
  const domains: string[] = [];
  for (const pattern of patterns) {
    const name = parseName(pattern);
    if (name === undefined) continue;
    if (name.startsWith("*.")) domains.push(name.slice(2));
    else names.add(name);
  }
  return (name) => names.has(name) || domains.some((domain) => isBelow(name, domain));
}
