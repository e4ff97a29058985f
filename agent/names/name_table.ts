/**
 * The immutable name table: what the control plane, the disk or static files said, checked once and
 * indexed for lookup. A push makes a new table; nothing changes one.
 *
 * Names are not expanded here: short forms and search domains are cut at lookup, so that the table has
 * one key a host and one an alias, however many search domains a VM has.
 *
 * @module
 */
import { isBelow, isWithin, parentOf, parseName } from "../dns/name.ts";
import { parseAddress, reverseName } from "../dns/ip_address.ts";
import type { HostEntry, HostPort } from "./host_entry.ts";

/** A host of the table, checked. */
export interface MeshHost {
  /** Canonical full name; `*.example.com` for a wildcard. */
  readonly host: string;
  /** Addresses of 4 or 16 octets, without duplicates, in the order given. */
  readonly addresses: readonly Uint8Array[];
  /** Whether it is a Kubernetes Service (or a pod of one), as opposed to a ServiceEntry's host. */
  readonly kubernetes: boolean;
  /** Name of the Service; empty for others. */
  readonly shortName: string;
  /** Namespace of the Service; empty for others. */
  readonly namespace: string;
  /** Canonical further names. */
  readonly altHosts: readonly string[];
  /** Ports, where known. */
  readonly ports: readonly HostPort[];
}

/** What a table is built with. */
export interface NameTableOptions {
  /** Canonical cluster domain, e.g. `cluster.local`. */
  clusterDomain: string;
  /** Hosts that are left out: a full name, or `*.example.com` for all below example.com. */
  exclude?: readonly string[];
}

/** An entry, or a part of one, that was left out. */
export interface RejectedEntry {
  /** The host as the source named it, cut to 300 characters. */
  host: string;
  /** Why. */
  reason: string;
}

/** A table, and what was left out of it. */
export interface BuiltNameTable {
  /** The table. */
  table: NameTable;
  /** What could not be served. */
  rejected: RejectedEntry[];
}

/** Hosts between two steps of {@link NameTable.buildInSteps}: some 0.5 ms of work. */
const STEP_HOSTS = 64;

/** What no table may answer for, whatever it says: these belong to the resolver itself. */
const RESERVED_DOMAINS = ["localhost", "invalid", "onion", "in-addr.arpa", "ip6.arpa"];

/** An indexed set of mesh hosts. */
export class NameTable {
  /** Canonical cluster domain that the table was built for. */
  readonly clusterDomain: string;
  #hosts: readonly MeshHost[] = [];
  readonly #byName = new Map<string, MeshHost>();
  /** By the name below which a wildcard matches. */
  readonly #wildcards = new Map<string, MeshHost>();
  /** Canonical name by reverse name. */
  readonly #reverse = new Map<string, { name: string; owned: boolean }>();
  /** Names in the cluster domain that have a host below them. */
  readonly #parents = new Set<string>();

  private constructor(clusterDomain: string) {
    this.clusterDomain = clusterDomain;
  }

  /**
   * Builds a table. Entries that cannot be served are left out and reported; the others are not
   * affected by them. Where two entries name the same host, the Kubernetes one stays, else the first.
   */
  static build(entries: Iterable<HostEntry>, options: NameTableOptions): BuiltNameTable {
    const steps = NameTable.buildInSteps(entries, options);
    for (;;) {
      const { done, value } = steps.next();
      if (done) return value;
    }
  }

  /** {@link build}, with a pause wherever the caller wants one. */
  static *buildInSteps(
    entries: Iterable<HostEntry>,
    options: NameTableOptions,
  ): Generator<void, BuiltNameTable> {
    const table = new NameTable(options.clusterDomain);
    const rejected: RejectedEntry[] = [];
    const excluded = excludeMatcher(options.exclude ?? []);
    let count = 0;
    for (const entry of entries) {
      if (++count % STEP_HOSTS === 0) yield;
      const reject = (reason: string) => rejected.push({ host: entry.host.slice(0, 300), reason });
      const host = checkedHost(entry, reject);
      if (host === undefined) continue;
      if (excluded(host.host)) reject("excluded by names.exclude");
      else table.#add(host, reject);
    }
    // Only now: an alias never takes the place of a host.
    table.#hosts = [...table.#byName.values(), ...table.#wildcards.values()];
    for (const host of table.#hosts) {
      if (++count % STEP_HOSTS === 0) yield;
      table.#index(host, excluded);
    }
    return { table, rejected };
  }

  /** Number of hosts. */
  get size(): number {
    return this.#hosts.length;
  }

  /** The hosts in the order of the source, wildcards last. */
  hosts(): readonly MeshHost[] {
    return this.#hosts;
  }

  /** The host with this canonical name or alias. A wildcard is found only by {@link wildcard}. */
  exact(name: string): MeshHost | undefined {
    return this.#byName.get(name);
  }

  /** The wildcard host that covers a canonical name; of several the one with the longest suffix. */
  wildcard(name: string): MeshHost | undefined {
    if (this.#wildcards.size === 0) return undefined;
    for (let parent = parentOf(name); parent !== undefined; parent = parentOf(parent)) {
      const host = this.#wildcards.get(parent);
      if (host !== undefined) return host;
    }
    return undefined;
  }

  /**
   * The one name of an address, by its reverse name.
   *
   * @returns `owned` where the mesh gave out the address (ClusterIP, headless endpoint, automatic VIP
   * are told apart by the caller), so that nobody else's PTR record can be right
   */
  reverse(name: string): { name: string; owned: boolean } | undefined {
    return this.#reverse.get(name);
  }

  /** Whether any host of the cluster domain lies below a canonical name of that domain. */
  hasChildren(name: string): boolean {
    return this.#parents.has(name);
  }

  #add(host: MeshHost, reject: (reason: string) => void): void {
    const wildcard = host.host.startsWith("*.");
    const map = wildcard ? this.#wildcards : this.#byName;
    const key = wildcard ? host.host.slice(2) : host.host;
    const present = map.get(key);
    if (present !== undefined && (present.kubernetes || !host.kubernetes)) {
      reject("named twice; the first stays");
      return;
    }
    map.set(key, host);
  }

  #index(host: MeshHost, excluded: (name: string) => boolean): void {
    for (const alias of host.altHosts) {
      if (!this.#byName.has(alias) && !excluded(alias)) this.#byName.set(alias, host);
    }
    const name = host.host.startsWith("*.") ? host.host.slice(2) : host.host;
    if (isBelow(name, this.clusterDomain)) {
      for (
        let parent = parentOf(name)!;
        isWithin(parent, this.clusterDomain) && !this.#parents.has(parent);
        parent = parentOf(parent)!
      ) this.#parents.add(parent);
    }
    if (host.host !== name) return;
    for (const address of host.addresses) this.#indexReverse(host, address);
  }

  /** Kubernetes names come first, then the smallest (DESIGN: the one canonical name). */
  #indexReverse(host: MeshHost, address: Uint8Array): void {
    const key = reverseName(address);
    const present = this.#reverse.get(key);
    const wins = present === undefined ||
      (host.kubernetes !== present.owned ? host.kubernetes : host.host < present.name);
    if (wins) this.#reverse.set(key, { name: host.host, owned: host.kubernetes });
  }
}

/** Checks one entry; undefined, with the reason reported, when nothing of it can be served. */
function checkedHost(
  entry: HostEntry,
  reject: (reason: string) => void,
): MeshHost | undefined {
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
  const addresses = new Map<string, Uint8Array>();
  for (const text of entry.addresses) {
    const address = parseAddress(text);
    if (address === undefined) reject(`not an IP address: "${text.slice(0, 60)}"`);
    else addresses.set(address.join(), address);
  }
  if (addresses.size === 0) {
    reject("no usable address");
    return undefined;
  }
  return {
    host,
    addresses: [...addresses.values()],
    kubernetes: entry.registry === "Kubernetes",
    shortName: entry.shortName.toLowerCase(),
    namespace: entry.namespace.toLowerCase(),
    altHosts: entry.altHosts.flatMap((text) => checkedAlias(text, reject)),
    ports: entry.ports ?? [],
  };
}

function checkedAlias(text: string, reject: (reason: string) => void): string[] {
  const alias = parseName(text);
  const usable = alias !== undefined && alias !== "" && !alias.includes("*") &&
    !RESERVED_DOMAINS.some((domain) => isWithin(alias, domain));
  if (!usable) reject(`alias "${text.slice(0, 300)}" left out: not a name that may be served`);
  return usable ? [alias] : [];
}

function excludeMatcher(patterns: readonly string[]): (name: string) => boolean {
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
