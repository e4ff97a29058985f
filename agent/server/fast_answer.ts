/**
 * The fast path's answer to one query: read where it lies, looked up in shared memory, and answered in
 * the place of the query. What is not answered here is left untouched, for the slow path. Both give the
 * same octets (`fast_answer_test.ts`), so that this module holds no policy of its own: what belongs
 * here is what most queries of a VM need, and nothing that a query needs now and then.
 *
 * Runs in a worker, once a query: it allocates nothing.
 *
 * @module
 */
import { AnswerFlag } from "../cache/hot_cache_layout.ts";
import type { HotCacheReader } from "../cache/hot_cache_reader.ts";
import { Rcode, RecordType } from "../dns/codes.ts";
import { UDP_OCTETS_MAX } from "../dns/encode_answer.ts";
import { NAME_MAX_OCTETS } from "../dns/name.ts";
import { HEADER_OCTETS } from "../dns/query.ts";
import { soaRecord } from "../dns/record.ts";
import { MESH_TTL_SECONDS, NEGATIVE_TTL_SECONDS } from "../names/mesh_lookup.ts";
import { finishedHash, HostRecord } from "../names/table_layout.ts";
import type { TableReader } from "../names/table_reader.ts";
import { FastLookup } from "./fast_lookup.ts";
import { FastQuery } from "./fast_query.ts";
import { FastTarget, MAILBOX, PRIMARY } from "./fast_target.ts";
import type { FastView } from "./fast_view.ts";
import { AA, AD, CD, FastWriter, OPT_OCTETS, RECORD_HEAD_OCTETS } from "./fast_writer.ts";

/** What is answered from: as it is at one moment. */
export interface FastSources {
  /** The name table. */
  table: TableReader;
  /** How this node sees it. */
  view: FastView;
  /** What upstream servers said; its `nowMs` is set before each batch. */
  cache: HotCacheReader | undefined;
}

/** Where an answer came from: the index of its counters. */
export const FastSource = { MESH: 0, CACHE: 1 } as const;

/** A CNAME record with the longest target. */
const CNAME_OCTETS_MAX = RECORD_HEAD_OCTETS + NAME_MAX_OCTETS;
/** The five numbers of a local SOA record. */
const SOA_NUMBERS = soaRecord("", { ttlSeconds: NEGATIVE_TTL_SECONDS }).rdata.slice(-20);
/** Data of a local SOA record: two names that each end in a pointer to the zone, and the numbers. */
const SOA_DATA_OCTETS = PRIMARY.length + 2 + MAILBOX.length + 2 + SOA_NUMBERS.length;

/** Answers queries in place. */
export class FastAnswerer {
  /** What is answered from; replaced at each change. */
  sources: FastSources;
  /** The query that was read last. */
  readonly query: FastQuery = new FastQuery();
  /** Where the last answer came from, see {@link FastSource}. */
  source: number = FastSource.MESH;
  /** Response code of the last answer. */
  rcode = 0;
  readonly #lookup = new FastLookup(this.query);
  readonly #target = new FastTarget(this.query);
  readonly #writer = new FastWriter();
  /** What stands behind the question, while an answer may still have to be taken back. */
  readonly #tail: Uint8Array = new Uint8Array(UDP_OCTETS_MAX);
  #random: number;

  /**
   * Makes an answerer.
   *
   * @param random where the rotation of addresses begins; any whole number
   */
  constructor(sources: FastSources, random: number) {
    this.sources = sources;
    this.#random = random | 0;
  }

  /**
   * Answers the query in `packets[at, at + octets)`, in its place; there is room for `UDP_OCTETS_MAX`.
   *
   * @returns the length of the answer; 0 where the slow path has to answer: the query is as it was
   */
  answer(packets: Uint8Array, at: number, octets: number): number {
    const { query } = this;
    const { table, view, cache } = this.sources;
    if (!query.read(packets, at, octets, table.seed)) return 0;
    this.#writer.begin(packets, at, query.headOctets);
    // The mesh goes before the cache, but what is hot is nothing that the mesh answers: that is 20 ns for a
    // mesh name, and spares the others 300 ns of search domains and short forms.
    if (cache !== undefined) {
      const length = this.#answerCached(cache, octets);
      if (length > 0) return length;
    }
    const mayBeHost = query.type === RecordType.A || query.type === RecordType.AAAA;
    return mayBeHost && this.#lookup.find(table, view) ? this.#answerHost(table, view) : 0;
  }

  /**
   * Answers the query with SERVFAIL: there is no room to hand it over.
   *
   * @returns as {@link answer}; 0 where the message is no usual query
   */
  refuse(packets: Uint8Array, at: number, octets: number): number {
    if (!this.query.read(packets, at, octets, 0)) return 0;
    this.#writer.begin(packets, at, this.query.headOctets);
    return this.#writer.finish(this.query, 0, Rcode.SERVFAIL, 0, 0, 0);
  }

  /** Answers with the host that was found; 0 for the slow path. */
  #answerHost(table: TableReader, { serveAutoAllocated, clusterDomain }: FastView): number {
    const query = this.query;
    const lookup = this.#lookup;
    const writer = this.#writer;
    const { host } = lookup;
    const v4 = table.count(host + (serveAutoAllocated ? HostRecord.V4 : HostRecord.V4_PLAIN));
    const v6 = table.count(host + (serveAutoAllocated ? HostRecord.V6 : HostRecord.V6_PLAIN));
    // The mesh leaves it to others.
    if (v4 + v6 === 0) return 0;
    const isV4 = query.type === RecordType.A;
    const count = isV4 ? v4 : v6;
    const isCut = lookup.labels < query.labels;
    const most = query.headOctets + (isCut ? CNAME_OCTETS_MAX : 0) +
      (count === 0
        ? RECORD_HEAD_OCTETS + SOA_DATA_OCTETS
        : count * (RECORD_HEAD_OCTETS + (isV4 ? 4 : 16))) +
      OPT_OCTETS;
    if (most > query.limit) return 0;
    // Direct answers with addresses, the most frequent ones, need nothing of the target.
    if (isCut || count === 0) this.#target.take(lookup, table);
    if (count === 0 && this.#target.hasSoaLabels()) return 0;
    const owner = isCut ? this.#target.writeCname(writer) : HEADER_OCTETS;
    if (count === 0) {
      this.#writeSoa(this.#target.zonePointer(owner, lookup, clusterDomain));
    } else {
      const from = host + HostRecord.ADDRESSES + (isV4 ? 0 : 4 * table.count(host + HostRecord.V4));
      this.#writeAddresses(owner, table.octets, from, count);
    }
    this.source = FastSource.MESH;
    this.rcode = Rcode.NOERROR;
    return writer.finish(query, AA, 0, (isCut ? 1 : 0) + count, count === 0 ? 1 : 0, 0);
  }

  #writeAddresses(owner: number, octets: Uint8Array, from: number, count: number): void {
    const writer = this.#writer;
    const { type } = this.query;
    const length = type === RecordType.A ? 4 : 16;
    const behind = from + count * length;
    let next = count === 1 ? from : from + length * this.#draw(count);
    for (let i = 0; i < count; i++) {
      writer.recordHead(owner, type, MESH_TTL_SECONDS, length);
      writer.octets(octets, next, length);
      next += length;
      if (next === behind) next = from;
    }
  }

  #writeSoa(zone: number): void {
    const writer = this.#writer;
    writer.recordHead(zone, RecordType.SOA, NEGATIVE_TTL_SECONDS, SOA_DATA_OCTETS);
    writer.octets(PRIMARY, 0, PRIMARY.length);
    writer.pointer(zone);
    writer.octets(MAILBOX, 0, MAILBOX.length);
    writer.pointer(zone);
    writer.octets(SOA_NUMBERS, 0, SOA_NUMBERS.length);
  }

  /** What upstream servers said; 0 where it is not known here. */
  #answerCached(cache: HotCacheReader, octets: number): number {
    const query = this.query;
    const writer = this.#writer;
    const { packets, view, at, end } = writer;
    const bits = packets[at + 3];
    const flags = (query.dnssecOk ? 1 : 0) | ((bits & CD) !== 0 ? 2 : 0);
    const hash = finishedHash(query.hashOf[query.labels]);
    if (!cache.find(query.name, query.nameOctets, query.type, flags, hash)) return 0;
    // The slow path answers it from its own cache, and asks for a fresh answer.
    if (cache.dueForRefresh) return 0;
    if (query.headOctets + cache.bodyOctets + OPT_OCTETS > query.limit) return 0;
    const tailOctets = octets - query.headOctets;
    for (let i = 0; i < tailOctets; i++) this.#tail[i] = packets[end + i];
    if (!cache.copyBody(view, end)) {
      for (let i = 0; i < tailOctets; i++) packets[end + i] = this.#tail[i];
      return 0;
    }
    writer.end = end + cache.bodyOctets;
    this.source = FastSource.CACHE;
    this.rcode = cache.rcode;
    // AD goes only to clients that would look at it (RFC 6840 section 5.8).
    const wantsAd = query.dnssecOk || (bits & AD) !== 0;
    return writer.finish(
      query,
      (cache.answerFlags & AnswerFlag.AUTHORITATIVE) !== 0 ? AA : 0,
      ((cache.answerFlags & AnswerFlag.AUTHENTICATED) !== 0 && wantsAd ? AD : 0) | cache.rcode,
      cache.answers,
      cache.authority,
      cache.additional,
    );
  }

  /** A whole number in [0, below); a cheap one, since nobody gains by guessing it. */
  #draw(below: number): number {
    this.#random = Math.imul(this.#random, 1_664_525) + 1_013_904_223 | 0;
    return (this.#random >>> 16) % below;
  }
}
