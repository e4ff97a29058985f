/**
 * The name that a fast answer's records belong to: the question's own, or the one that its CNAME leads
 * to where a search domain was cut off.
 *
 * @module
 */
import { RecordType } from "../dns/codes.ts";
import { LABELS_MAX } from "../dns/name.ts";
import { HEADER_OCTETS } from "../dns/query.ts";
import { MESH_TTL_SECONDS } from "../names/mesh_lookup.ts";
import { HostFlag, HostRecord } from "../names/table_layout.ts";
import type { TableReader } from "../names/table_reader.ts";
import type { FastLookup } from "./fast_lookup.ts";
import type { FastQuery } from "./fast_query.ts";
import type { FastWriter } from "./fast_writer.ts";

/** First label of a local SOA record's primary server, with its length octet. */
export const PRIMARY: Uint8Array = new TextEncoder().encode("\x02ns");
/** First label of its mailbox. */
export const MAILBOX: Uint8Array = new TextEncoder().encode("\x0ahostmaster");

/** The target of the last lookup. */
export class FastTarget {
  readonly #query: FastQuery;
  readonly #labelAtOfHost: Uint8Array = new Uint8Array(LABELS_MAX + 1);
  /** Where it lies, its length, and where its labels begin. */
  #octets: Uint8Array = new Uint8Array(0);
  #from = 0;
  #length = 0;
  #labels = 0;
  #labelAt: Uint8Array = this.#labelAtOfHost;

  /** Takes targets of what `query` holds. */
  constructor(query: FastQuery) {
    this.#query = query;
  }

  /** Takes the target of what `lookup` found. */
  take(lookup: FastLookup, table: TableReader): void {
    const query = this.#query;
    const { octets } = table;
    const isWildcard = (octets[lookup.host + HostRecord.FLAGS] & HostFlag.WILDCARD) !== 0;
    if (lookup.labels === query.labels || isWildcard) {
      this.#octets = query.name;
      this.#from = 0;
      this.#labels = lookup.labels;
      this.#labelAt = query.labelAt;
      this.#length = query.labelAt[lookup.labels];
      return;
    }
    const from = table.words[lookup.host + HostRecord.NAME >> 2];
    const length = octets[lookup.host + HostRecord.NAME_OCTETS];
    const labelAt = this.#labelAtOfHost;
    let labels = 0;
    for (let i = 0; i < length; i += 1 + octets[from + i]) labelAt[labels++] = i;
    labelAt[labels] = length;
    this.#octets = octets;
    this.#from = from;
    this.#length = length;
    this.#labels = labels;
    this.#labelAt = labelAt;
  }

  /**
   * Writes the CNAME record from the question to it. As in `encode_answer.ts`, the last labels that it
   * shares with the question are pointed to.
   *
   * @returns where in the message it can be pointed to
   */
  writeCname(writer: FastWriter): number {
    const query = this.#query;
    let own = this.#labels;
    let shared = query.labels;
    while (own > 0 && shared > 0 && this.#sharesLabel(own - 1, shared - 1)) {
      own--;
      shared--;
    }
    const written = this.#labelAt[own];
    const pointer = HEADER_OCTETS + query.labelAt[shared];
    const isWhole = own === this.#labels;
    const dataOctets = written + (isWhole ? 1 : 2);
    writer.recordHead(HEADER_OCTETS, RecordType.CNAME, MESH_TTL_SECONDS, dataOctets);
    const nameAt = writer.end - writer.at;
    writer.octets(this.#octets, this.#from, written);
    if (isWhole) writer.packets[writer.end++] = 0;
    else writer.pointer(pointer);
    return own === 0 ? pointer : nameAt;
  }

  #sharesLabel(own: number, shared: number): boolean {
    const { labelAt, name } = this.#query;
    const length = this.#labelAt[own + 1] - this.#labelAt[own];
    if (labelAt[shared + 1] - labelAt[shared] !== length) return false;
    const a = this.#from + this.#labelAt[own];
    const b = labelAt[shared];
    for (let i = 0; i < length; i++) {
      if (this.#octets[a + i] !== name[b + i]) return false;
    }
    return true;
  }

  /**
   * Where in the message the zone of its negative answers stands, see `negativeSoa` of
   * `mesh_lookup.ts`: the cluster domain where it lies within, else the target itself.
   *
   * @param owner where the target stands
   */
  zonePointer(owner: number, lookup: FastLookup, clusterDomain: Uint8Array): number {
    if (!this.#isWithin(clusterDomain)) return owner;
    const query = this.#query;
    return lookup.isWithin(clusterDomain, query.labels)
      ? HEADER_OCTETS + query.nameOctets - clusterDomain.length
      : owner + this.#length - clusterDomain.length;
  }

  #isWithin(domain: Uint8Array): boolean {
    const from = this.#length - domain.length;
    if (from < 0) return false;
    for (let i = 0; i < domain.length; i++) {
      if (this.#octets[this.#from + from + i] !== domain[i]) return false;
    }
    // A label's content may look like the labels of the domain.
    let label = this.#labels;
    while (this.#labelAt[label] > from) label--;
    return this.#labelAt[label] === from;
  }

  /**
   * Whether a label of question or target is one of the SOA record's own: then the record's names may
   * stand in the message already, and the slow path points to them.
   */
  hasSoaLabels(): boolean {
    const { name, nameOctets } = this.#query;
    return hasSoaLabel(name, 0, nameOctets) || hasSoaLabel(this.#octets, this.#from, this.#length);
  }
}

function hasSoaLabel(name: Uint8Array, from: number, octets: number): boolean {
  for (let i = from; i < from + octets; i += 1 + name[i]) {
    if (startsWith(name, i, PRIMARY) || startsWith(name, i, MAILBOX)) return true;
  }
  return false;
}

function startsWith(octets: Uint8Array, at: number, start: Uint8Array): boolean {
  for (let i = 0; i < start.length; i++) {
    if (octets[at + i] !== start[i]) return false;
  }
  return true;
}
