/**
 * The immutable name table, as the resolver reads it: what the control plane, the disk or static files
 * said, checked and indexed by `pack_table.ts`. A push makes a new table; nothing changes one.
 *
 * @module
 */
import { parseReverseName } from "../dns/ip_address.ts";
import { NAME_MAX_OCTETS, readName, writeName } from "../dns/name.ts";
import type { HostPort } from "./host_entry.ts";
import { RecordIndex } from "./record_index.ts";
import { openNameIndex } from "./table_reader.ts";
import {
  AddressFlag,
  AddressRecord,
  finishedHash,
  hashOctets,
  Header,
  HEADER_WORDS,
  type HostDetails,
  HostFlag,
  HostRecord,
  impliedNamespace,
  NameFlag,
  NameRecord,
} from "./table_layout.ts";

/** A host of the table: a copy, which stays as it is whatever becomes of the table. */
export interface MeshHost {
  /** Canonical full name; `*.example.com` for a wildcard. */
  readonly host: string;
  /**
   * Addresses of 4 or 16 octets, without duplicates: IPv4 first, and of each family those first that are
   * no automatic VIPs; else in the order given.
   */
  readonly addresses: readonly Uint8Array[];
  /** Those of them that are no automatic VIPs. The addresses of a Kubernetes Service never are. */
  readonly plainAddresses: readonly Uint8Array[];
  /** Whether it is a Kubernetes Service (or a pod of one), as opposed to a ServiceEntry's host. */
  readonly kubernetes: boolean;
  /** Whether it may be asked for by its short forms. */
  readonly shortForms: boolean;
  /** Namespace of the Service; empty for others. */
  readonly namespace: string;
  /** Canonical further names. */
  readonly altHosts: readonly string[];
  /** Ports, where known. */
  readonly ports: readonly HostPort[];
}

/**
 * An indexed set of mesh hosts, in a buffer that `packTable` wrote.
 *
 * The buffer is used again for a later table: a table that is out of force must not be read. `NameSources`
 * gives no buffer away that `isInUse` of its parts speaks for; the resolver reads the table anew at each
 * question, and keeps none across a wait.
 */
export class NameTable {
  /** Where it lies. */
  readonly buffer: SharedArrayBuffer;
  readonly #octets: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Int32Array;
  readonly #seed: number;
  readonly #names: RecordIndex;
  readonly #addresses: RecordIndex;
  /** The name that is looked up, in wire form. */
  readonly #wire = new Uint8Array(NAME_MAX_OCTETS + 1);

  /** A table over what `packTable` wrote. */
  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    const header = new Int32Array(buffer, 0, HEADER_WORDS);
    this.#seed = header[Header.SEED];
    this.#octets = new Uint8Array(buffer, 0, header[Header.OCTETS]);
    this.#halves = new Uint16Array(buffer, 0, header[Header.OCTETS] / 2);
    this.#words = new Int32Array(buffer, 0, header[Header.OCTETS] / 4);
    this.#names = openNameIndex(buffer);
    this.#addresses = new RecordIndex(this.#octets, {
      lengthAt: AddressRecord.ADDRESS_OCTETS,
      keyAt: AddressRecord.ADDRESS,
      slots: new Int32Array(
        buffer,
        header[Header.ADDRESS_SLOTS],
        2 * (header[Header.ADDRESS_MASK] + 1),
      ),
    });
  }

  /** Number of hosts. */
  get size(): number {
    return this.#words[Header.HOSTS];
  }

  /** Octets that it takes of its buffer. */
  get octets(): number {
    return this.#octets.length;
  }

  /** The hosts in the order of the source, wildcards last; made while they are gone through. */
  *hosts(): Generator<MeshHost> {
    const list = this.#words[Header.HOST_LIST] / 4;
    for (let i = 0; i < this.size; i++) yield this.#host(this.#words[list + i]);
  }

  /** The host with this canonical name or alias. A wildcard is found only by {@link wildcard}. */
  exact(name: string): MeshHost | undefined {
    const record = this.#find(name);
    const host = record === 0 ? 0 : this.#words[record + NameRecord.HOST >> 2];
    return host === 0 ? undefined : this.#host(host, { name, at: record + NameRecord.NAME });
  }

  /** The wildcard host that covers a canonical name; of several the one with the longest suffix. */
  wildcard(name: string): MeshHost | undefined {
    if (this.#words[Header.WILDCARDS] === 0) return undefined;
    const length = writeName(this.#wire, 0, name);
    if (length >= this.#wire.length) return undefined;
    for (let at = this.#wire[0] + 1; at < length; at += this.#wire[at] + 1) {
      const record = this.#findWire(at, length);
      const host = record === 0 ? 0 : this.#words[record + NameRecord.WILDCARD >> 2];
      if (host !== 0) return this.#host(host);
    }
    return undefined;
  }

  /**
   * The one name of an address, by its reverse name.
   *
   * @returns `owned` where the mesh gave out the address (ClusterIP, headless endpoint, automatic VIP),
   * so that nobody else's PTR record can be right
   */
  reverse(name: string): { name: string; owned: boolean } | undefined {
    const address = parseReverseName(name);
    if (address === undefined) return undefined;
    const hash = finishedHash(hashOctets(this.#seed, address, 0, address.length));
    const record = this.#addresses.find(hash, address, 0, address.length);
    if (record === 0) return undefined;
    const owned = (this.#octets[record + AddressRecord.FLAGS] & AddressFlag.OWNED) !== 0;
    return { name: this.#nameOf(this.#words[record + AddressRecord.HOST >> 2]), owned };
  }

  /** Whether any host of the cluster domain lies below a canonical name of that domain. */
  hasChildren(name: string): boolean {
    const record = this.#find(name);
    return record !== 0 && (this.#octets[record + NameRecord.FLAGS] & NameFlag.PARENT) !== 0;
  }

  /** The name record of a canonical name; 0 where there is none. */
  #find(name: string): number {
    const length = writeName(this.#wire, 0, name);
    return length === 0 || length >= this.#wire.length ? 0 : this.#findWire(0, length);
  }

  #findWire(from: number, to: number): number {
    const hash = finishedHash(hashOctets(this.#seed, this.#wire, from, to));
    return this.#names.find(hash, this.#wire, from, to);
  }

  /** The host of a record; `known` is a name whose text need not be made anew. */
  #host(record: number, known?: { name: string; at: number }): MeshHost {
    const flags = this.#octets[record + HostRecord.FLAGS];
    const isWildcard = (flags & HostFlag.WILDCARD) !== 0;
    const isKnown = !isWildcard && this.#words[record + HostRecord.NAME >> 2] === known?.at;
    const name = isKnown ? known!.name : this.#nameOf(record);
    const host = isWildcard ? `*.${name}` : name;
    const shortForms = (flags & HostFlag.SHORT_FORMS) !== 0;
    const details = this.#detailsOf(record) ??
      { namespace: shortForms ? impliedNamespace(host) : "", altHosts: [], ports: [] };
    return {
      host,
      ...this.#addressesOf(record),
      kubernetes: (flags & HostFlag.KUBERNETES) !== 0,
      shortForms,
      ...details,
    };
  }

  #nameOf(record: number): string {
    const from = this.#words[record + HostRecord.NAME >> 2];
    return readName(this.#octets, from, from + this.#octets[record + HostRecord.NAME_OCTETS]);
  }

  #addressesOf(record: number): Pick<MeshHost, "addresses" | "plainAddresses"> {
    const v4 = this.#halves[record + HostRecord.V4 >> 1];
    const v6 = this.#halves[record + HostRecord.V6 >> 1];
    const plain4 = this.#halves[record + HostRecord.V4_PLAIN >> 1];
    const plain6 = this.#halves[record + HostRecord.V6_PLAIN >> 1];
    const addresses: Uint8Array[] = [];
    for (let i = 0, at = record + HostRecord.ADDRESSES; i < v4 + v6; i++) {
      const address = new Uint8Array(i < v4 ? 4 : 16);
      for (let k = 0; k < address.length; k++) address[k] = this.#octets[at++];
      addresses.push(address);
    }
    const isPlain = (_: Uint8Array, i: number) => i < v4 ? i < plain4 : i - v4 < plain6;
    const allPlain = plain4 === v4 && plain6 === v6;
    return { addresses, plainAddresses: allPlain ? addresses : addresses.filter(isPlain) };
  }

  #detailsOf(record: number): HostDetails | undefined {
    const at = this.#words[record + HostRecord.DETAILS >> 2];
    if (at === 0) return undefined;
    // A copy, since what is shared cannot be decoded.
    const text = this.#octets.slice(at + 4, at + 4 + this.#words[at >> 2]);
    return JSON.parse(new TextDecoder().decode(text));
  }
}
