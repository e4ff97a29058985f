/**
 * How long an answer of an upstream server may be kept, and how it ages. Pure.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { ExtendedErrorCode, Rcode, RecordType } from "../dns/codes.ts";
import type { ResourceRecord } from "../dns/record.ts";

/** Limits in seconds that nobody needs to configure. */
export const TTL_LIMITS = {
  /** Negative answers: RFC 2308 section 5 calls one to three hours sensible. */
  negativeMaxSeconds: 3_600,
  /** The first failure of a question: RFC 9520 section 3.2 asks for at least one second. */
  failureMinSeconds: 2,
  /** The last of many: RFC 9520 section 3.2 asks for at most five minutes. */
  failureMaxSeconds: 300,
  /** What a stale answer says: RFC 8767 section 4 recommends 30 seconds. */
  staleSeconds: 30,
} as const;

/** What kind of answer a cache entry holds. */
export type CachedKind = "positive" | "negative" | "failure";

/** How long an answer may be kept; 0 means not at all. */
export interface Lifetime {
  /** What kind it is. */
  kind: CachedKind;
  /** From now; for a failure {@link failureSeconds} says how long. */
  seconds: number;
}

/** The least and the most that answers may live, in seconds; failures have limits of their own. */
export interface LifetimeBounds {
  /** Answers that may be kept at all are kept at least so long, also those with TTL 0. */
  minSeconds: number;
  /** And at most so long. */
  maxSeconds: number;
}

/** Whether an answer says nothing about the name: the server could not, or would not, find out. */
export function isFailure({ rcode }: Answer): boolean {
  return rcode !== Rcode.NOERROR && rcode !== Rcode.NXDOMAIN;
}

/** How long an answer may be kept. */
export function lifetimeOf(answer: Answer, { minSeconds, maxSeconds }: LifetimeBounds): Lifetime {
  if (isFailure(answer)) {
    return { kind: "failure", seconds: TTL_LIMITS.failureMinSeconds };
  }
  const last = answer.answers.at(-1);
  const chainOnly = answer.answers.every(({ type }) =>
    type === RecordType.CNAME || type === RecordType.DNAME || type === RecordType.RRSIG
  );
  const negative = answer.rcode === Rcode.NXDOMAIN || last === undefined ||
    chainOnly && answer.authority.some(({ type }) => type === RecordType.SOA);
  const bounded = (seconds: number) => Math.min(Math.max(seconds, minSeconds), maxSeconds);
  if (!negative) return { kind: "positive", seconds: bounded(leastTtl(answer.answers)) };
  // Without a SOA a negative answer is not cached (RFC 2308 section 5).
  const soa = answer.authority.find(({ type }) => type === RecordType.SOA);
  if (soa === undefined) return { kind: "negative", seconds: 0 };
  const seconds = Math.min(
    soa.ttlSeconds,
    soaMinimum(soa),
    leastTtl(answer.answers),
    TTL_LIMITS.negativeMaxSeconds,
  );
  return { kind: "negative", seconds: bounded(seconds) };
}

/** How long the failure of a question is remembered, which is the `failures`th in a row (RFC 9520). */
export function failureSeconds(failures: number): number {
  return Math.min(
    TTL_LIMITS.failureMinSeconds * 2 ** (failures - 1),
    TTL_LIMITS.failureMaxSeconds,
  );
}

/** The answer as it is `ageSeconds` later: each TTL counted down, and never below 1 while it is valid. */
export function agedAnswer(answer: Answer, ageSeconds: number): Answer {
  const elapsed = Math.floor(ageSeconds);
  return withTtls(answer, (ttlSeconds) => Math.max(1, ttlSeconds - elapsed));
}

/**
 * An answer that ended, as it is given when upstream servers have nothing better (RFC 8767): it says that
 * it is stale (RFC 8914), and not that it was validated, since signatures end too.
 */
export function staleAnswer(answer: Answer): Answer {
  return {
    ...withTtls(answer, () => TTL_LIMITS.staleSeconds),
    authenticated: false,
    extendedError: {
      code: answer.rcode === Rcode.NXDOMAIN
        ? ExtendedErrorCode.STALE_NXDOMAIN_ANSWER
        : ExtendedErrorCode.STALE_ANSWER,
      text: "",
    },
  };
}

/**
 * The answer with every TTL within the bounds: downstream caches must not keep what this one may not,
 * and are told where it is kept longer than its TTL.
 */
export function boundedAnswer(answer: Answer, { minSeconds, maxSeconds }: LifetimeBounds): Answer {
  return withTtls(
    answer,
    (ttlSeconds) => Math.min(Math.max(ttlSeconds, minSeconds), maxSeconds),
  );
}

/** The same answer where no TTL changes: most are asked about so. */
function withTtls(answer: Answer, change: (ttlSeconds: number) => number): Answer {
  const isKept = ({ ttlSeconds }: ResourceRecord) => change(ttlSeconds) === ttlSeconds;
  const { answers, authority, additional } = answer;
  if (answers.every(isKept) && authority.every(isKept) && additional.every(isKept)) return answer;
  const changed = (records: readonly ResourceRecord[]) =>
    records.map((record) => ({ ...record, ttlSeconds: change(record.ttlSeconds) }));
  return {
    ...answer,
    answers: changed(answers),
    authority: changed(authority),
    additional: changed(additional),
  };
}

function leastTtl(records: readonly ResourceRecord[]): number {
  return records.reduce((least, { ttlSeconds }) => Math.min(least, ttlSeconds), Infinity);
}

/** The last field of a SOA record: how long a negative answer may be kept. */
function soaMinimum({ rdata }: ResourceRecord): number {
  return new DataView(rdata.buffer, rdata.byteOffset, rdata.length).getUint32(rdata.length - 4);
}
