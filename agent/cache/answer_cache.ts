/**
 * The cache of upstream servers' answers. Each is kept whole under the question that was asked: the
 * records of a CNAME chain are never kept under their own names, so that nobody can plant one.
 *
 * Time is an argument. Bounded in octets; the entry used longest ago goes first.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { isWithin } from "../dns/name.ts";
import type { Question } from "../dns/query.ts";
import { agedAnswer, type CachedKind, cappedAnswer, lifetimeOf } from "./answer_ttl.ts";

/** The default bound: some 30,000 answers of usual size. */
export const CACHE_MAX_BYTES = 16 * 1024 * 1024;

/** What an entry costs beside its octets: measured on V8, a Map slot, the objects and their arrays. */
const ENTRY_OVERHEAD_BYTES = 300;
/** What a record costs beside its owner and RDATA. */
const RECORD_OVERHEAD_BYTES = 150;

/** A cached answer that is still valid. */
export interface CacheHit {
  /** With TTLs counted down. */
  answer: Answer;
  /** What kind it is. */
  kind: CachedKind;
  /** Since it was stored. */
  ageSeconds: number;
  /** Until it ends. */
  remainingSeconds: number;
}

interface Entry {
  name: string;
  answer: Answer;
  kind: CachedKind;
  storedMs: number;
  expiresMs: number;
  bytes: number;
}

/** The key of a question: everything that may change its answer. */
export function cacheKey(
  request: { question: Question; dnssecOk: boolean; checkingDisabled: boolean },
  upstreamGroup: string,
): string {
  const { name, type, class: recordClass } = request.question;
  const flags = (request.dnssecOk ? 1 : 0) | (request.checkingDisabled ? 2 : 0);
  // A canonical name holds no space.
  return `${name} ${type} ${recordClass} ${flags} ${upstreamGroup}`;
}

/** A bounded cache of answers. */
export class AnswerCache {
  readonly #maxBytes: number;
  /** In order of use: the first was used longest ago. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `maxBytes`: {@link CACHE_MAX_BYTES} unless given
   */
  constructor(options: { maxBytes?: number } = {}) {
    this.#maxBytes = options.maxBytes ?? CACHE_MAX_BYTES;
  }

  /** The valid answer under a key. */
  get(key: string, nowMs: number): CacheHit | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    if (entry.expiresMs <= nowMs) {
      this.#delete(key, entry);
      return undefined;
    }
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const ageSeconds = (nowMs - entry.storedMs) / 1000;
    return {
      answer: agedAnswer(entry.answer, ageSeconds),
      kind: entry.kind,
      ageSeconds,
      remainingSeconds: Math.ceil((entry.expiresMs - nowMs) / 1000),
    };
  }

  /** Keeps an answer as long as it may be kept; false where that is not at all. */
  put(key: string, answer: Answer, nowMs: number): boolean {
    const { kind, seconds } = lifetimeOf(answer);
    const present = this.#entries.get(key);
    if (seconds <= 0) return false;
    const capped = kind === "failure" ? answer : cappedAnswer(answer, seconds);
    const bytes = sizeOf(key, capped);
    if (bytes > this.#maxBytes) return false;
    if (present !== undefined) this.#delete(key, present);
    this.#entries.set(key, {
      name: key.slice(0, key.indexOf(" ")),
      answer: capped,
      kind,
      storedMs: nowMs,
      expiresMs: nowMs + seconds * 1000,
      bytes,
    });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#maxBytes) break;
      this.#delete(oldest, entry);
    }
    return true;
  }

  /** Forgets every answer for `domain` and the names below it, or all; returns how many. */
  flush(domain = ""): number {
    let count = 0;
    for (const [key, entry] of this.#entries) {
      if (!isWithin(entry.name, domain)) continue;
      this.#delete(key, entry);
      count++;
    }
    return count;
  }

  /** Number of entries, those included that ended and were not asked for since. */
  get entries(): number {
    return this.#entries.size;
  }

  /** Estimated size in octets. */
  get bytes(): number {
    return this.#bytes;
  }

  #delete(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }
}

function sizeOf(key: string, answer: Answer): number {
  let bytes = ENTRY_OVERHEAD_BYTES + 2 * key.length;
  for (const section of [answer.answers, answer.authority, answer.additional]) {
    for (const { name, rdata } of section) {
      bytes += RECORD_OVERHEAD_BYTES + 2 * name.length + rdata.length;
    }
  }
  return bytes;
}
