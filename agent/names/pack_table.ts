/**
 * Builds a name table: hosts as sources name them in, a flat buffer (`table_layout.ts`) out. Everything
 * is checked here, once; whoever reads the buffer relies on it. Pure, and linear in the number of names.
 *
 * Names are not expanded: short forms and search domains are cut at lookup, so that the table has one
 * key a host and one an alias, however many search domains a VM has.
 *
 * @module
 */
import { type AddressRange, isInRange } from "../dns/ip_address.ts";
import { NAME_MAX_OCTETS, readName, writeName } from "../dns/name.ts";
import { type CheckedHost, checkHost, excludeMatcher } from "./host_check.ts";
import type { HostEntry } from "./host_entry.ts";
import { RecordIndex } from "./record_index.ts";
import { RecordWriter } from "./record_writer.ts";
import {
  AddressRecord,
  finishedHash,
  hashOctets,
  Header,
  HEADER_WORDS,
  HostFlag,
  HostRecord,
  NameFlag,
  NameRecord,
  TABLE_MAGIC,
} from "./table_layout.ts";

/** What a table is built with. */
export interface TableOptions {
  /** Canonical cluster domain, e.g. `cluster.local`. */
  clusterDomain: string;
  /** Hosts that are left out: a full name, or `*.example.com` for all below example.com. */
  exclude: readonly string[];
  /** Where the control plane takes automatic VIPs from. */
  vipRanges: readonly AddressRange[];
}

/** How a table is built. */
export interface PackOptions extends TableOptions {
  /** Start value of the hashes, 32 random bits. */
  seed: number;
  /** Memory to use where it is large enough; nobody may be reading it. */
  into?: SharedArrayBuffer;
}

/** An entry, or a part of one, that was left out. */
export interface RejectedEntry {
  /** The host as the source named it, cut to 300 characters. */
  host: string;
  /** Why. */
  reason: string;
}

/** A table, and what was left out of it. */
export interface PackedTable {
  /** The table. */
  buffer: SharedArrayBuffer;
  /** What could not be served: the first {@link REJECTED_KEPT}. */
  rejected: RejectedEntry[];
  /** How much could not be served. */
  rejectedTotal: number;
}

/** How many rejected entries are told apart: people read no more, and a bad table may have 100,000. */
export const REJECTED_KEPT = 100;

/** New memory is larger than the table by a quarter, so that the next table fits too; whole pages. */
const ROOM_FACTOR = 1.25;
const PAGE_OCTETS = 4096;

/**
 * Builds a table. Entries that cannot be served are left out and reported; the others are not affected
 * by them. Where two entries name the same host, the Kubernetes one stays, else the first.
 *
 * @throws {RangeError} where it would be larger than 2 GiB
 */
export function packTable(entries: Iterable<HostEntry>, options: PackOptions): PackedTable {
  const packer = new TablePacker(options);
  for (const entry of entries) packer.add(entry);
  return packer.finish(options.into);
}

/** Takes hosts one after the other. */
class TablePacker {
  readonly #options: PackOptions;
  readonly #isExcluded: (name: string) => boolean;
  readonly #records = new RecordWriter();
  readonly #names = new RecordIndex(this.#records.octets, {
    lengthAt: NameRecord.NAME_OCTETS,
    keyAt: NameRecord.NAME,
  });
  readonly #addresses = new RecordIndex(this.#records.octets, {
    lengthAt: AddressRecord.ADDRESS_OCTETS,
    keyAt: AddressRecord.ADDRESS,
  });
  /** Name records of hosts and of wildcards, in the order of the source. */
  readonly #hostNames: number[] = [];
  readonly #wildcardNames: number[] = [];
  /** By host record; most hosts have none. */
  readonly #aliases = new Map<number, readonly string[]>();
  readonly #clusterDomain = new Uint8Array(NAME_MAX_OCTETS + 1);
  readonly #clusterDomainOctets: number;
  readonly #wire = new Uint8Array(NAME_MAX_OCTETS + 1);
  readonly #rejected: RejectedEntry[] = [];
  #rejectedTotal = 0;

  constructor(options: PackOptions) {
    this.#options = options;
    this.#isExcluded = excludeMatcher(options.exclude);
    this.#clusterDomainOctets = writeName(this.#clusterDomain, 0, options.clusterDomain);
  }

  /** Takes a host, or a part of it, or reports why not. */
  add(entry: HostEntry): void {
    const reject = (reason: string) => {
      this.#rejectedTotal++;
      if (this.#rejected.length === REJECTED_KEPT) return;
      this.#rejected.push({ host: entry.host.slice(0, 300), reason });
    };
    const host = checkHost(entry, reject);
    if (host === undefined) return;
    if (this.#isExcluded(host.host)) return reject("excluded by names.exclude");
    const isWildcard = host.host.startsWith("*.");
    const nameRecord = this.#nameRecord(isWildcard ? host.host.slice(2) : host.host);
    const place = nameRecord + (isWildcard ? NameRecord.WILDCARD : NameRecord.HOST) >> 2;
    const present = this.#records.words[place];
    if (present === 0) (isWildcard ? this.#wildcardNames : this.#hostNames).push(nameRecord);
    else if (!host.kubernetes || this.#isKubernetes(present)) {
      return reject("named twice; the first stays");
    }
    const { addresses, plain } = this.#plainFirst(host);
    const record = this.#records.writeHost(host, { addresses, plain, nameRecord });
    this.#records.words[place] = record;
    if (host.altHosts.length > 0) this.#aliases.set(record, host.altHosts);
  }

  /** Adds what follows from all hosts together, and lays the parts of the table into memory. */
  finish(into?: SharedArrayBuffer): PackedTable {
    const { words } = this.#records;
    const hosts = Int32Array.from([
      ...this.#hostNames.map((record) => words[record + NameRecord.HOST >> 2]),
      ...this.#wildcardNames.map((record) => words[record + NameRecord.WILDCARD >> 2]),
    ]);
    // Only now: an alias never takes the place of a host.
    for (const host of hosts) this.#addAliases(host);
    for (const host of hosts) this.#addParents(host);
    for (const host of hosts) this.#addAddresses(host);
    return {
      buffer: this.#layOut(hosts, into),
      rejected: this.#rejected,
      rejectedTotal: this.#rejectedTotal,
    };
  }

  #isKubernetes(hostRecord: number): boolean {
    return (this.#records.octets[hostRecord + HostRecord.FLAGS] & HostFlag.KUBERNETES) !== 0;
  }

  /** The addresses of a Service are its own, wherever they are. */
  #plainFirst({ addresses, kubernetes }: CheckedHost): { addresses: Uint8Array[]; plain: number } {
    const isVip = (address: Uint8Array) =>
      this.#options.vipRanges.some((range) => isInRange(address, range));
    if (kubernetes || !addresses.some(isVip)) return { addresses, plain: addresses.length };
    const plain = addresses.filter((address) => !isVip(address));
    return { addresses: [...plain, ...addresses.filter(isVip)], plain: plain.length };
  }

  #addAliases(hostRecord: number): void {
    for (const alias of this.#aliases.get(hostRecord) ?? []) {
      if (this.#isExcluded(alias)) continue;
      const place = this.#nameRecord(alias) + NameRecord.HOST >> 2;
      this.#records.words[place] ||= hostRecord;
    }
  }

  /** Marks the names between a host of the cluster domain and that domain. */
  #addParents(hostRecord: number): void {
    const { octets, words } = this.#records;
    const from = words[hostRecord + HostRecord.NAME >> 2];
    const to = from + octets[hostRecord + HostRecord.NAME_OCTETS];
    const domainAt = to - this.#clusterDomainOctets;
    let at = from;
    while (at < domainAt) at += octets[at] + 1;
    if (at !== domainAt || at === from) return;
    for (let i = 0; at + i < to; i++) {
      if (octets[at + i] !== this.#clusterDomain[i]) return;
    }
    // The records may move while one is added.
    const name = this.#wire;
    const end = to - from;
    for (let i = 0; i < end; i++) name[i] = octets[from + i];
    for (at = name[0] + 1; at <= domainAt - from && at < end; at += name[at] + 1) {
      const flagsAt = this.#recordOf(name, at, end) + NameRecord.FLAGS;
      if ((this.#records.octets[flagsAt] & NameFlag.PARENT) !== 0) return;
      this.#records.octets[flagsAt] |= NameFlag.PARENT;
    }
  }

  #addAddresses(hostRecord: number): void {
    const { octets } = this.#records;
    if ((octets[hostRecord + HostRecord.FLAGS] & HostFlag.WILDCARD) !== 0) return;
    const [v4, plain4, v6, plain6] = new Uint16Array(octets.buffer, hostRecord, 4);
    const kubernetes = this.#isKubernetes(hostRecord);
    let at = hostRecord + HostRecord.ADDRESSES;
    for (let i = 0; i < v4; i++, at += 4) {
      this.#addAddress(hostRecord, { at, to: at + 4, owned: kubernetes || i >= plain4 });
    }
    for (let i = 0; i < v6; i++, at += 16) {
      this.#addAddress(hostRecord, { at, to: at + 16, owned: kubernetes || i >= plain6 });
    }
  }

  /** Kubernetes names come first, then the smallest: each address has one name. */
  #addAddress(
    hostRecord: number,
    { at, to, owned }: { at: number; to: number; owned: boolean },
  ): void {
    const { octets } = this.#records;
    const hash = finishedHash(hashOctets(this.#options.seed, octets, at, to));
    this.#addresses.octets = octets;
    let record = this.#addresses.find(hash, octets, at, to);
    if (record === 0) {
      record = this.#records.writeAddress(octets, at, to);
      this.#addresses.add(hash, record);
    } else {
      const present = this.#records.words[record + AddressRecord.HOST >> 2];
      const isMore = Number(this.#isKubernetes(hostRecord)) - Number(this.#isKubernetes(present));
      const wins = isMore === 0 ? this.#nameOf(hostRecord) < this.#nameOf(present) : isMore > 0;
      if (!wins) return;
    }
    this.#records.setAddressHost(record, hostRecord, owned);
  }

  #nameOf(hostRecord: number): string {
    const { octets, words } = this.#records;
    const from = words[hostRecord + HostRecord.NAME >> 2];
    return readName(octets, from, from + octets[hostRecord + HostRecord.NAME_OCTETS]);
  }

  /** The record of a canonical name, made where there is none. */
  #nameRecord(name: string): number {
    return this.#recordOf(this.#wire, 0, writeName(this.#wire, 0, name));
  }

  #recordOf(wire: Uint8Array, from: number, to: number): number {
    const hash = finishedHash(hashOctets(this.#options.seed, wire, from, to));
    this.#names.octets = this.#records.octets;
    const present = this.#names.find(hash, wire, from, to);
    if (present !== 0) return present;
    const record = this.#records.writeName(wire, from, to);
    this.#names.add(hash, record);
    return record;
  }

  #layOut(hosts: Int32Array, into: SharedArrayBuffer | undefined): SharedArrayBuffer {
    const { octets: records, end } = this.#records;
    const nameSlotsAt = end + hosts.byteLength;
    const addressSlotsAt = nameSlotsAt + this.#names.slots.byteLength;
    const size = addressSlotsAt + this.#addresses.slots.byteLength;
    const buffer = into !== undefined && into.byteLength >= size
      ? into
      : new SharedArrayBuffer(Math.ceil(size * ROOM_FACTOR / PAGE_OCTETS) * PAGE_OCTETS);
    new Uint8Array(buffer, 0, end).set(records.subarray(0, end));
    const words = new Int32Array(buffer, 0, size / 4);
    words.set(hosts, end / 4);
    words.set(this.#names.slots, nameSlotsAt / 4);
    words.set(this.#addresses.slots, addressSlotsAt / 4);
    const header = words.subarray(0, HEADER_WORDS);
    header[Header.MAGIC] = TABLE_MAGIC;
    header[Header.SEED] = this.#options.seed;
    header[Header.NAME_MASK] = this.#names.slots.length / 2 - 1;
    header[Header.NAME_SLOTS] = nameSlotsAt;
    header[Header.ADDRESS_MASK] = this.#addresses.slots.length / 2 - 1;
    header[Header.ADDRESS_SLOTS] = addressSlotsAt;
    header[Header.HOSTS] = hosts.length;
    header[Header.HOST_LIST] = end;
    header[Header.WILDCARDS] = this.#wildcardNames.length;
    header[Header.OCTETS] = size;
    return buffer;
  }
}
