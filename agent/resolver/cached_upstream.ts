/**
 * Upstream servers behind their cache: what is answered from it, what is asked for, who waits for whom,
 * and what is given when no server answers (RFC 8767). Knows nothing of the mesh.
 *
 * @module
 */
import type { AnswerCache, CacheHit, KeptAnswer } from "../cache/answer_cache.ts";
import { isFailure } from "../cache/answer_ttl.ts";
import { cacheKey } from "../cache/cache_key.ts";
import { type Answer, failureAnswer } from "../dns/answer.ts";
import { ExtendedErrorCode, formatRcode, Rcode } from "../dns/codes.ts";
import type { Question } from "../dns/query.ts";
import type { Clock } from "../system/clock.ts";
import type { UpstreamOutcome } from "../upstream/tries.ts";

/** One question, as far as its answer depends on it. */
export interface ForwardedRequest {
  /** What is asked; class IN. */
  question: Question;
  /** DO. */
  dnssecOk: boolean;
  /** CD. */
  checkingDisabled: boolean;
}

/** An answer of an upstream server, of the cache, or for want of both. */
export interface ForwardedAnswer {
  /** The answer. */
  answer: Answer;
  /** Where it comes from; `stale` is of the cache too. */
  source: "cache" | "stale" | "upstream" | "failure";
  /** Why, a step a line, in words. */
  why: string[];
  /** What of the cache it is a copy of; only where that has not ended. */
  kept?: KeptAnswer;
}

/** Who is asked. */
export interface Upstream {
  /** Never rejects; has an answer or a failure within 4.5 s. */
  exchange(request: ForwardedRequest): Promise<UpstreamOutcome>;
  /** The group of servers that a name is asked at. */
  groupOf(name: string): string;
}

/**
 * How long a client waits before it gets a stale answer, in milliseconds: the client response timer that
 * RFC 8767 section 5 recommends.
 */
export const STALE_AFTER_MS = 1_800;
/** Questions that may be asked anew at a time although nobody waits for them. */
export const REFRESHES_MAX = 100;
/** No refresh begins while so many questions are in flight: half of what upstream takes is for clients. */
export const REFRESH_ROOM = 500;

/**
 * Upstream servers that were silent for so long were away, in milliseconds: what failed before they
 * answered again says nothing about a name.
 */
export const OUTAGE_MS = 5_000;

/** One question that upstream servers were asked. */
interface InFlight {
  /** What its clients get: the answer, or a stale one where that takes long. */
  answered: Promise<ForwardedAnswer>;
  /** The answer. */
  settled: Promise<ForwardedAnswer>;
}

/** Answers from the cache, and asks upstream servers for what is not there. */
export class CachedUpstream {
  readonly #cache: AnswerCache;
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  /** By cache key, until upstream servers answered, also where clients have long got a stale answer. */
  readonly #inFlight = new Map<string, InFlight>();
  #refreshes = 0;
  /** Since when no upstream server answered anything; undefined while they do. */
  #silentSinceMs: number | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(options: { cache: AnswerCache; upstream: Upstream; clock: Clock }) {
    this.#cache = options.cache;
    this.#upstream = options.upstream;
    this.#clock = options.clock;
  }

  /**
   * The cached answer, or a stale one where upstream servers failed a moment ago. A hot answer that ends
   * soon is given, and asked for anew.
   */
  cached(request: ForwardedRequest): ForwardedAnswer | undefined {
    const key = this.#key(request);
    const hit = this.#cache.get(key, this.#clock.monotonicMs());
    if (hit === undefined) return undefined;
    if (hit.dueForRefresh) this.#refresh(key, request);
    if (hit.stale) return fallback(hit, "upstream servers failed a moment ago");
    return {
      answer: hit.answer,
      source: "cache",
      why: [
        `cached ${Math.floor(hit.ageSeconds)} s ago, for ${hit.remainingSeconds} s more` +
        (hit.dueForRefresh ? "; asked for anew" : ""),
      ],
      ...hit.kept && { kept: hit.kept },
    };
  }

  /**
   * Asks upstream servers; identical questions that are in flight are asked once. Where they fail or
   * take longer than {@link STALE_AFTER_MS}, a stale answer is given if there is one. Never rejects.
   */
  ask(request: ForwardedRequest): Promise<ForwardedAnswer> {
    const key = this.#key(request);
    return (this.#inFlight.get(key) ?? this.#start(key, request)).answered;
  }

  /** What ended, for want of room to ask for better; undefined where there is nothing. */
  underLoad(request: ForwardedRequest): ForwardedAnswer | undefined {
    const hit = this.#cache.fallback(this.#key(request), this.#clock.monotonicMs());
    return hit && fallback(hit, "too many questions wait for upstream servers");
  }

  /** Forgets what is cached for `domain` and the names below it, or all; returns how many answers. */
  flush(domain = ""): number {
    // What is in flight may have been said before the change that the flush is for: nobody else joins
    // it, and it is not kept.
    this.#inFlight.clear();
    return this.#cache.flush(domain);
  }

  /** Forgets that upstream servers failed, as when others take their place; answers stay. */
  forgetFailures(): void {
    this.#silentSinceMs = undefined;
    this.#cache.forgetFailures();
  }

  #key(request: ForwardedRequest): string {
    return cacheKey(request, this.#upstream.groupOf(request.question.name));
  }

  #refresh(key: string, request: ForwardedRequest): void {
    if (this.#inFlight.has(key)) return;
    if (this.#refreshes >= REFRESHES_MAX || this.#inFlight.size >= REFRESH_ROOM) return;
    this.#refreshes++;
    // A fault of our own is reported by the next question, which a client waits for.
    const done = () => void this.#refreshes--;
    this.#start(key, request).settled.then(done, done);
  }

  #start(key: string, request: ForwardedRequest): InFlight {
    const { promise: early, resolve: giveEarly } = Promise.withResolvers<ForwardedAnswer>();
    const cancel = this.#clock.schedule(STALE_AFTER_MS, () => {
      const hit = this.#cache.fallback(key, this.#clock.monotonicMs());
      if (hit !== undefined) giveEarly(fallback(hit, "upstream servers take long"));
    });
    const isCurrent = () => this.#inFlight.get(key) === started;
    const settled = this.#upstream.exchange(request)
      .then((outcome) => this.#settle(key, outcome, { keep: isCurrent() }))
      .finally(() => {
        cancel();
        if (isCurrent()) this.#inFlight.delete(key);
      });
    const started: InFlight = { settled, answered: Promise.race([settled, early]) };
    this.#inFlight.set(key, started);
    return started;
  }

  #settle(key: string, outcome: UpstreamOutcome, { keep }: { keep: boolean }): ForwardedAnswer {
    const answer = outcome.kind === "answer"
      ? this.#cache.bounded(aboutTheName(outcome))
      : failureAnswer(Rcode.SERVFAIL, {
        code: outcome.timedOut
          ? ExtendedErrorCode.NO_REACHABLE_AUTHORITY
          : ExtendedErrorCode.NETWORK_ERROR,
        text: outcome.reason,
      });
    const nowMs = this.#clock.monotonicMs();
    this.#notice(outcome, nowMs);
    // That this agent had no room says nothing about the name.
    const overloaded = outcome.kind === "failure" && outcome.overloaded === true;
    if (keep && !overloaded) this.#cache.put(key, answer, nowMs);
    const why = outcome.kind === "failure"
      ? outcome.reason
      : `asked ${outcome.server}, which took ${Math.round(outcome.roundTripMs)} ms`;
    if (isFailure(answer)) {
      const hit = this.#cache.fallback(key, nowMs);
      if (hit !== undefined) return fallback(hit, why);
    }
    return { answer, source: outcome.kind === "failure" ? "failure" : "upstream", why: [why] };
  }

  /** Servers that return make failures void: a name is not held back for minutes after an outage. */
  #notice({ kind }: UpstreamOutcome, nowMs: number): void {
    if (kind === "failure") {
      this.#silentSinceMs ??= nowMs;
    } else if (this.#silentSinceMs !== undefined) {
      if (nowMs - this.#silentSinceMs >= OUTAGE_MS) this.#cache.forgetFailures();
      this.#silentSinceMs = undefined;
    }
  }
}

/** What servers say about the agent's query, and not about its name. */
const ABOUT_THE_QUERY: ReadonlySet<number> = new Set([
  Rcode.FORMERR,
  Rcode.BADVERS,
  Rcode.BADCOOKIE,
]);

/** The answer, as far as it concerns a client: OPT and cookies are of the agent's query alone. */
function aboutTheName({ answer, server }: UpstreamOutcome & { kind: "answer" }): Answer {
  if (!ABOUT_THE_QUERY.has(answer.rcode)) return answer;
  const text = `${server} says ${formatRcode(answer.rcode)} to the agent's query`;
  return failureAnswer(Rcode.SERVFAIL, { code: ExtendedErrorCode.OTHER, text });
}

function fallback(hit: CacheHit, why: string): ForwardedAnswer {
  if (!hit.stale) {
    return { answer: hit.answer, source: "cache", why: [why, "the cached answer is still valid"] };
  }
  return {
    answer: { ...hit.answer, extendedError: { ...hit.answer.extendedError!, text: why } },
    source: "stale",
    why: [why, `a stale answer, which ended ${-hit.remainingSeconds} s ago`],
  };
}
