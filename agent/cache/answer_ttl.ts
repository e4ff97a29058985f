/**
 * How long an answer of an upstream server may be kept, and how it ages. Pure.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { Rcode, RecordType } from "../dns/codes.ts";
import type { ResourceRecord } from "../dns/record.ts";

/** Limits in seconds. */
export const TTL_LIMITS = {
  /** Positive answers: one day, as unbound's cache-max-ttl; RFC 8767 section 4 advises days, not weeks. */
  positiveMaxSeconds: 86_400,
  /** Negative answers: RFC 2308 section 5 calls one to three hours sensible. */
  negativeMaxSeconds: 3_600,
  /** Failures: RFC 9520 section 3.2 asks for at least one second and at most five minutes. */
  failureSeconds: 2,
} as const;

/** What kind of answer a cache entry holds. */
export type CachedKind = "positive" | "negative" | "failure";

/** How long an answer may be kept; 0 means not at all. */
export function lifetimeOf(answer: Answer): { kind: CachedKind; seconds: number } {
  if (answer.rcode !== Rcode.NOERROR && answer.rcode !== Rcode.NXDOMAIN) {
    return { kind: "failure", seconds: TTL_LIMITS.failureSeconds };
  }
  const last = answer.answers.at(-1);
  const chainOnly = answer.answers.every(({ type }) =>
    type === RecordType.CNAME || type === RecordType.DNAME || type === RecordType.RRSIG
  );
  const negative = answer.rcode === Rcode.NXDOMAIN || last === undefined ||
    chainOnly && answer.authority.some(({ type }) => type === RecordType.SOA);
  if (!negative) {
    const seconds = leastTtl(answer.answers);
    return { kind: "positive", seconds: Math.min(seconds, TTL_LIMITS.positiveMaxSeconds) };
  }
  // Without a SOA a negative answer is not cached (RFC 2308 section 5).
  const soa = answer.authority.find(({ type }) => type === RecordType.SOA);
  if (soa === undefined) return { kind: "negative", seconds: 0 };
  const seconds = Math.min(soa.ttlSeconds, soaMinimum(soa), leastTtl(answer.answers));
  return { kind: "negative", seconds: Math.min(seconds, TTL_LIMITS.negativeMaxSeconds) };
}

/** The answer as it is `ageSeconds` later: each TTL counted down, and never below 1 while it is valid. */
export function agedAnswer(answer: Answer, ageSeconds: number): Answer {
  const elapsed = Math.floor(ageSeconds);
  const aged = (records: readonly ResourceRecord[]) =>
    records.map((record) => ({ ...record, ttlSeconds: Math.max(1, record.ttlSeconds - elapsed) }));
  return {
    ...answer,
    answers: aged(answer.answers),
    authority: aged(answer.authority),
    additional: aged(answer.additional),
  };
}

/**
 * The answer with no TTL above `maxSeconds`, and a SOA's TTL not above its MINIMUM: downstream caches
 * must not keep what this one may not.
 */
export function cappedAnswer(answer: Answer, maxSeconds: number): Answer {
  const capped = (records: readonly ResourceRecord[]) =>
    records.map((record) => ({ ...record, ttlSeconds: Math.min(record.ttlSeconds, maxSeconds) }));
  return { ...answer, answers: capped(answer.answers), authority: capped(answer.authority) };
}

function leastTtl(records: readonly ResourceRecord[]): number {
  return records.reduce((least, { ttlSeconds }) => Math.min(least, ttlSeconds), Infinity);
}

/** The last field of a SOA record: how long a negative answer may be kept. */
function soaMinimum({ rdata }: ResourceRecord): number {
  return new DataView(rdata.buffer, rdata.byteOffset, rdata.length).getUint32(rdata.length - 4);
}
