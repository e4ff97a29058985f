/**
 * The cache of upstream servers' answers. Each is kept whole under the question that was asked: the
 * records of a CNAME chain are never kept under their own names, so that nobody can plant one.
 *
 * An answer that ended is kept on for a while, to be given where upstream servers fail (RFC 8767); a
 * failure is kept too, so that it is not asked for again at once (RFC 9520). Time is an argument and
 * must be monotonic. Bounded in octets, see `segmented_store.ts`.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { isWithin } from "../dns/name.ts";
import {
  agedAnswer,
  boundedAnswer,
  type CachedKind,
  failureSeconds,
  type LifetimeBounds,
  lifetimeOf,
  staleAnswer,
  TTL_LIMITS,
} from "./answer_ttl.ts";
import { packedAnswer, sizeOf } from "./entry_size.ts";
import { SegmentedStore } from "./segmented_store.ts";

/** What may be configured of a cache. */
export interface CacheLimits {
  /** Bound of its size in octets. */
  maxBytes: number;
  /** Answers are kept at least so long. */
  minTtlSeconds: number;
  /** Answers are kept at most so long; negative ones never longer than an hour. */
  maxTtlSeconds: number;
  /** How long an answer that ended may be given where upstream servers fail; 0: never. */
  staleSeconds: number;
  /** Whether hits say that they are due for a refresh. */
  prefetch: boolean;
}

/** What holds unless configured otherwise. */
export const CACHE_DEFAULTS: CacheLimits = {
  /** Some 15,000 answers of usual size: a VM asks for hundreds to a few thousand names a day. */
  maxBytes: 16 * 1024 * 1024,
  minTtlSeconds: 0,
  /** One day, as unbound's cache-max-ttl; RFC 8767 section 4 advises days, not weeks. */
  maxTtlSeconds: 86_400,
  /** RFC 8767 section 5 suggests one to three days: one bridges an outage and forgets what moved. */
  staleSeconds: 86_400,
  prefetch: true,
};

/** How long a refresh that failed is not tried again, in milliseconds (RFC 8767 section 5). */
export const FAILURE_RECHECK_MS = 30_000;
/** A hot answer is due for a refresh within this last part of its life, as with unbound. */
const PREFETCH_SHARE = 0.1;
/** Hot is what was asked for again so often since it came. */
const PREFETCH_HITS = 2;

/** An answer as it is kept: what a hit gives is this one, aged. */
export interface KeptAnswer {
  /** What it is kept under, see `cache_key.ts`. */
  readonly key: string;
  /** With the TTLs that it came with. */
  readonly answer: Answer;
  /** What kind it is. */
  readonly kind: CachedKind;
  /** When it was stored. */
  readonly storedMs: number;
  /** When it ends: from then on it is stale. */
  readonly expiresMs: number;
  /** From when on a hit may be due for a refresh; Infinity where nothing is refreshed. */
  readonly refreshMs: number;
}

/** A cached answer that may be given. */
export interface CacheHit {
  /** With TTLs counted down; a stale one with {@link TTL_LIMITS.staleSeconds} and an extended error. */
  answer: Answer;
  /** What kind it is. */
  kind: CachedKind;
  /** Whether it ended, and is given for want of a better one. */
  stale: boolean;
  /** Since it was stored. */
  ageSeconds: number;
  /** Until it ends; negative for a stale one. */
  remainingSeconds: number;
  /** Whether it should be asked for anew now, so that it is here when this one ends. Said once a life. */
  dueForRefresh: boolean;
  /** What it is a copy of; only where that is an answer which has not ended. */
  kept?: KeptAnswer;
}

/** What became of lookups, and what else happened, since the start. */
export interface CacheCounts {
  /** Lookups that found an answer with records. */
  positive: number;
  /** Lookups that found that there are none. */
  negative: number;
  /** Lookups that found that upstream servers failed a moment ago. */
  failure: number;
  /** Lookups that found an answer that ended, while upstream servers failed a moment ago. */
  stale: number;
  /** Lookups that found what had ended: upstream servers are to be asked. */
  expired: number;
  /** Lookups that found nothing. */
  miss: number;
  /** Hits that were due for a refresh. */
  prefetch: number;
  /** Entries that had to make room. */
  evicted: number;
}

interface Entry {
  answer: Answer;
  kind: CachedKind;
  storedMs: number;
  expiresMs: number;
  /** Lookups since it was stored. */
  hits: number;
  refreshSaid: boolean;
  /** Failures in a row since upstream servers last said something. */
  failures: number;
  /** Until then upstream servers need not be asked again. */
  recheckMs: number;
}

/** A bounded cache of answers. */
export class AnswerCache {
  /** What happened so far. */
  readonly counts: Readonly<CacheCounts>;
  readonly #counts: CacheCounts = {
    positive: 0,
    negative: 0,
    failure: 0,
    stale: 0,
    expired: 0,
    miss: 0,
    prefetch: 0,
    evicted: 0,
  };
  readonly #store: SegmentedStore<Entry>;
  #limits: CacheLimits;
  /**
   * Told each key whose answer is replaced or forgotten, before it is; of one that had to make room,
   * behind it. For whoever gives copies of it.
   */
  onGone: (key: string) => void = () => {};

  /**
   * Wires the parts; does nothing yet.
   *
   * @param limits those of {@link CACHE_DEFAULTS} unless given
   */
  constructor(limits: Partial<CacheLimits> = {}) {
    this.#limits = { ...CACHE_DEFAULTS, ...limits };
    this.counts = this.#counts;
    this.#store = new SegmentedStore({
      maxBytes: this.#limits.maxBytes,
      onEvicted: (key) => {
        this.#counts.evicted++;
        this.onGone(key);
      },
    });
  }

  /** Puts other limits in force; the lives of answers that are here stay as they are. */
  configure(limits: CacheLimits): void {
    this.#limits = limits;
    this.#store.resize(limits.maxBytes);
  }

  /**
   * What a question may be answered with at once: an answer that has not ended; one that has, where
   * asking for it failed less than {@link FAILURE_RECHECK_MS} ago; or the failure itself.
   */
  get(key: string, nowMs: number): CacheHit | undefined {
    const entry = this.#store.use(key);
    if (entry === undefined || nowMs >= this.#endMs(entry)) {
      if (entry !== undefined) this.#forget(key);
      this.#counts[entry === undefined ? "miss" : "expired"]++;
      return undefined;
    }
    entry.hits++;
    if (nowMs < entry.expiresMs) {
      this.#counts[entry.kind]++;
      const dueForRefresh = this.#isDueForRefresh(entry, nowMs);
      if (dueForRefresh) {
        entry.refreshSaid = true;
        this.#counts.prefetch++;
      }
      const kept = entry.kind !== "failure" && { kept: this.#kept(key, entry) };
      return { ...hitOf(entry, nowMs), dueForRefresh, ...kept };
    }
    if (entry.kind !== "failure" && nowMs < entry.recheckMs) {
      this.#counts.stale++;
      return hitOf(entry, nowMs);
    }
    this.#counts.expired++;
    return undefined;
  }

  /**
   * Counts hits of an answer that others gave copies of: it ranks as one that was asked for here.
   *
   * @param options `kind`: of the answer, which may have had to make room meanwhile
   */
  used(key: string, { hits, kind }: { hits: number; kind: CachedKind }): void {
    this.#counts[kind] += hits;
    const entry = this.#store.use(key);
    if (entry !== undefined) entry.hits += hits;
  }

  /** The answer that may be given where upstream servers have none: it has ended, as a rule. */
  fallback(key: string, nowMs: number): CacheHit | undefined {
    const entry = this.#store.peek(key);
    if (entry === undefined || entry.kind === "failure") return undefined;
    return nowMs < this.#endMs(entry) ? hitOf(entry, nowMs) : undefined;
  }

  /**
   * The answer as it is kept, for those whom it is given at once: the caches behind this one are told
   * the same by the first answer as by those that follow.
   */
  bounded(answer: Answer): Answer {
    const bounds = this.#bounds;
    const { kind, seconds } = lifetimeOf(answer, bounds);
    if (kind === "failure" || seconds <= 0) return answer;
    return boundedAnswer(answer, { ...bounds, maxSeconds: seconds });
  }

  /**
   * Keeps an answer as long as it may be kept. A failure does not replace an answer that may still be
   * given; anything else replaces what is there.
   *
   * @returns whether there is now an answer or a failure under the key
   */
  put(key: string, answer: Answer, nowMs: number): boolean {
    const { kind, seconds } = lifetimeOf(answer, this.#bounds);
    if (kind === "failure") return this.#putFailure(key, answer, nowMs);
    if (seconds <= 0) {
      this.#forget(key);
      return false;
    }
    return this.#set(key, {
      answer: packedAnswer(this.bounded(answer)),
      kind,
      storedMs: nowMs,
      expiresMs: nowMs + seconds * 1000,
      hits: 0,
      refreshSaid: false,
      failures: 0,
      recheckMs: 0,
    });
  }

  get #bounds(): LifetimeBounds {
    const { minTtlSeconds: minSeconds, maxTtlSeconds: maxSeconds } = this.#limits;
    return { minSeconds, maxSeconds };
  }

  #putFailure(key: string, answer: Answer, nowMs: number): boolean {
    const present = this.#store.peek(key);
    const remembered = present !== undefined && nowMs < this.#endMs(present);
    const failures = 1 + (remembered ? present.failures : 0);
    if (remembered && present.kind !== "failure") {
      present.failures = failures;
      present.recheckMs = nowMs + FAILURE_RECHECK_MS;
      return true;
    }
    return this.#set(key, {
      answer,
      kind: "failure",
      storedMs: nowMs,
      expiresMs: nowMs + failureSeconds(failures) * 1000,
      hits: 0,
      refreshSaid: false,
      failures,
      recheckMs: 0,
    });
  }

  /** Forgets every answer for `domain` and the names below it, or all; returns how many. */
  flush(domain = ""): number {
    let count = 0;
    for (const [key] of this.#store.entries()) {
      if (!isWithin(key.slice(0, key.indexOf(" ")), domain)) continue;
      this.#forget(key);
      count++;
    }
    return count;
  }

  /** Forgets that upstream servers failed: they may be asked again, about every question. */
  forgetFailures(): void {
    for (const [key, entry] of this.#store.entries()) {
      if (entry.kind === "failure") this.#forget(key);
      else entry.failures = entry.recheckMs = 0;
    }
  }

  /** Number of entries, those included that ended and were not asked for since. */
  get entries(): number {
    return this.#store.size;
  }

  /** Estimated size in octets. */
  get bytes(): number {
    return this.#store.bytes;
  }

  /** The bound of {@link bytes}. */
  get maxBytes(): number {
    return this.#limits.maxBytes;
  }

  #forget(key: string): void {
    this.onGone(key);
    this.#store.delete(key);
  }

  #set(key: string, entry: Entry): boolean {
    this.onGone(key);
    return this.#store.set(key, entry, { bytes: sizeOf(key, entry.answer) });
  }

  /** When an entry is of no more use; a failure's count matters to the next one for a while. */
  #endMs({ kind, expiresMs }: Entry): number {
    const more = kind === "failure" ? TTL_LIMITS.failureMaxSeconds : this.#limits.staleSeconds;
    return expiresMs + more * 1000;
  }

  #isDueForRefresh(entry: Entry, nowMs: number): boolean {
    const { kind, hits, refreshSaid } = entry;
    return !refreshSaid && kind !== "failure" && hits >= PREFETCH_HITS &&
      nowMs >= this.#refreshMs(entry);
  }

  #refreshMs({ storedMs, expiresMs }: Entry): number {
    return this.#limits.prefetch ? expiresMs - PREFETCH_SHARE * (expiresMs - storedMs) : Infinity;
  }

  #kept(key: string, entry: Entry): KeptAnswer {
    const { answer, kind, storedMs, expiresMs } = entry;
    return { key, answer, kind, storedMs, expiresMs, refreshMs: this.#refreshMs(entry) };
  }
}

function hitOf({ answer, kind, storedMs, expiresMs }: Entry, nowMs: number): CacheHit {
  const ageSeconds = (nowMs - storedMs) / 1000;
  const stale = nowMs >= expiresMs;
  return {
    answer: stale ? staleAnswer(answer) : agedAnswer(answer, ageSeconds),
    kind,
    stale,
    ageSeconds,
    remainingSeconds: Math.ceil((expiresMs - nowMs) / 1000),
    dueForRefresh: false,
  };
}
