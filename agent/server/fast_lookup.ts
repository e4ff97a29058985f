/**
 * Which host of the table a query means: the same steps in the same order as `findHost` of
 * `mesh_lookup.ts`, over octets. The contract test holds the two together.
 *
 * @module
 */
import { NAME_MAX_OCTETS } from "../dns/name.ts";
import { hashOctets, Header, HostFlag, HostRecord, NameRecord } from "../names/table_layout.ts";
import type { TableReader } from "../names/table_reader.ts";
import type { FastQuery } from "./fast_query.ts";
import type { FastView } from "./fast_view.ts";

/** What was found last. */
export class FastLookup {
  readonly #query: FastQuery;
  /** Where a short form is put together with its domain. */
  readonly #joined: Uint8Array = new Uint8Array(2 * NAME_MAX_OCTETS);
  /** Offset of the host record. */
  host = 0;
  /** How many labels of the query's name were looked up; all where no search domain was cut off. */
  labels = 0;

  /** Looks up what `query` holds at each {@link find}. */
  constructor(query: FastQuery) {
    this.#query = query;
  }

  /** Finds the host of the query's name; false where there is none. */
  find(table: TableReader, view: FastView): boolean {
    const { labels } = this.#query;
    this.labels = labels;
    this.host = this.#direct(table, view, labels, true);
    if (this.host !== 0) return true;
    const { searchDomains } = view;
    for (let i = 0; i < searchDomains.length; i++) {
      const rest = this.#withoutSuffix(searchDomains[i].name);
      if (rest === 0) continue;
      const { isMesh } = searchDomains[i];
      // Under the VM's own domains a name of one label belongs to that domain.
      if (!isMesh && rest === 1) continue;
      this.host = this.#direct(table, view, rest, isMesh);
      if (this.host === 0) continue;
      this.labels = rest;
      return true;
    }
    return table.words[Header.WILDCARDS] !== 0 && this.#findWildcard(table, view);
  }

  #findWildcard(table: TableReader, { searchDomains }: FastView): boolean {
    this.labels = this.#query.labels;
    this.host = this.#wildcard(table, this.labels);
    if (this.host !== 0) return true;
    for (let i = 0; i < searchDomains.length; i++) {
      const rest = this.#withoutSuffix(searchDomains[i].name);
      if (rest === 0) continue;
      this.host = this.#wildcard(table, rest);
      if (this.host === 0) continue;
      this.labels = rest;
      return true;
    }
    return false;
  }

  /** The host whose name, alias or, where they count, short form the first labels are; 0 for none. */
  #direct(table: TableReader, view: FastView, labels: number, shortForms: boolean): number {
    const { name, labelAt, hashOf } = this.#query;
    const octets = labelAt[labels];
    const record = table.find(name, 0, octets, hashOf[labels]);
    if (record !== 0) {
      const host = table.words[record + NameRecord.HOST >> 2];
      if (host !== 0) return host;
    }
    if (!shortForms || this.isWithin(view.clusterDomain, labels)) return 0;
    const joined = this.#joined;
    for (let i = 0; i < octets; i++) joined[i] = name[i];
    const domains = view.shortFormDomains;
    for (let i = 0; i < domains.length; i++) {
      const domain = domains[i];
      const to = octets + domain.length;
      if (to + 1 > NAME_MAX_OCTETS) continue;
      for (let j = 0; j < domain.length; j++) joined[octets + j] = domain[j];
      const full = table.find(joined, 0, to, hashOctets(hashOf[labels], domain, 0, domain.length));
      const host = full === 0 ? 0 : table.words[full + NameRecord.HOST >> 2];
      if (host !== 0 && (table.octets[host + HostRecord.FLAGS] & HostFlag.SHORT_FORMS) !== 0) {
        return host;
      }
    }
    return 0;
  }

  /** The wildcard that covers the first labels, of several the longest; 0 for none. */
  #wildcard(table: TableReader, labels: number): number {
    const { name, labelAt } = this.#query;
    const to = labelAt[labels];
    for (let label = 1; label < labels; label++) {
      const from = labelAt[label];
      const record = table.find(name, from, to, hashOctets(table.seed, name, from, to));
      const host = record === 0 ? 0 : table.words[record + NameRecord.WILDCARD >> 2];
      if (host !== 0) return host;
    }
    return 0;
  }

  /** Whether the name of the first labels is `domain` or lies below it. */
  isWithin(domain: Uint8Array, labels: number): boolean {
    return this.#labelsBefore(domain, labels) >= 0;
  }

  /** How many labels are left when `domain` is cut off the whole name; 0 where it is not below it. */
  #withoutSuffix(domain: Uint8Array): number {
    return Math.max(0, this.#labelsBefore(domain, this.#query.labels));
  }

  /** How many of the first `labels` labels stand before `domain`, with which they end; else -1. */
  #labelsBefore(domain: Uint8Array, labels: number): number {
    const { name, labelAt } = this.#query;
    const from = labelAt[labels] - domain.length;
    if (from < 0) return -1;
    // The last octets first: they are what differs.
    for (let i = domain.length - 1; i >= 0; i--) {
      if (name[from + i] !== domain[i]) return -1;
    }
    // A label's content may look like the labels of the domain.
    let before = labels;
    while (labelAt[before] > from) before--;
    return labelAt[before] === from ? before : -1;
  }
}
