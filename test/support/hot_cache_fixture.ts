/**
 * A hot cache behind its slow one, asked by queries as clients send them: what the slow path answers, and
 * what a worker would.
 *
 * @module
 */
import { AnswerCache, type CacheLimits } from "../../agent/cache/answer_cache.ts";
import { cacheKey } from "../../agent/cache/cache_key.ts";
import { HotCache } from "../../agent/cache/hot_cache.ts";
import { AnswerFlag } from "../../agent/cache/hot_cache_layout.ts";
import { HotCacheReader } from "../../agent/cache/hot_cache_reader.ts";
import type { Answer } from "../../agent/dns/answer.ts";
import { encodeAnswer } from "../../agent/dns/encode_answer.ts";
import { encodeName } from "../../agent/dns/name.ts";
import type { Query } from "../../agent/dns/query.ts";
import { finishedHash, hashOctets } from "../../agent/names/table_layout.ts";

/** Start value of the hashes. */
export const HASH_SEED = 0x5eed;
/** The machine started so long before the cache's clock did, in milliseconds: days, and a part of a second. */
export const BOOT_OFFSET_MS = 40 * 86_400_000 + 250;

/** The finished hash of a name in wire form without the root's octet. */
export function hashOf(name: Uint8Array): number {
  return finishedHash(hashOctets(HASH_SEED, name, 0, name.length));
}

/** What a reader is asked with for a query. */
export function lookupOf({ question, edns, checkingDisabled }: Query) {
  const name = encodeName(question.name).subarray(0, -1);
  const flags = (edns?.dnssecOk ? 1 : 0) | (checkingDisabled ? 2 : 0);
  return { name, type: question.type, flags, hash: hashOf(name) };
}

/** What is behind and before a body in a worker's answer, as `encodeAnswer` writes it. */
function answerMessage(query: Query, reader: HotCacheReader): Uint8Array | undefined {
  const { questionWire, edns } = query;
  const bodyAt = 12 + questionWire.length;
  const end = bodyAt + reader.bodyOctets;
  const message = new Uint8Array(end + (edns === undefined ? 0 : 11));
  const view = new DataView(message.buffer);
  const authenticated = (reader.answerFlags & AnswerFlag.AUTHENTICATED) !== 0 &&
    (query.authenticDataWanted || edns?.dnssecOk === true);
  const authoritative = (reader.answerFlags & AnswerFlag.AUTHORITATIVE) !== 0;
  view.setUint16(0, query.id);
  view.setUint16(
    2,
    0x8080 | (authoritative ? 0x0400 : 0) | (query.recursionDesired ? 0x0100 : 0) |
      (authenticated ? 0x0020 : 0) | (query.checkingDisabled ? 0x0010 : 0) | reader.rcode,
  );
  view.setUint16(4, 1);
  view.setUint16(6, reader.answers);
  view.setUint16(8, reader.authority);
  view.setUint16(10, reader.additional + (edns === undefined ? 0 : 1));
  message.set(questionWire, 12);
  if (!reader.copyBody(new DataView(message.buffer, 0, end), bodyAt)) return undefined;
  if (edns !== undefined) {
    message.set([0, 0, 41, 1232 >> 8, 1232 & 0xff, 0, 0, edns.dnssecOk ? 0x80 : 0, 0, 0, 0], end);
  }
  return message;
}

/** Whole milliseconds: 8.001 * 1000 is less than 8001. */
const inMs = (seconds: number) => Math.round(seconds * 1000);

/** Makes one; times are seconds of the slow cache's clock. */
export function makeHotCache(options: Partial<CacheLimits> & { slots?: number } = {}) {
  const { slots = 64, ...limits } = options;
  const cache = new AnswerCache(limits);
  const hot = new HotCache({ cache, hashOf, bootOffsetMs: () => BOOT_OFFSET_MS, slots });
  const reader = new HotCacheReader(hot.memory);
  const keyOf = ({ question, edns, checkingDisabled }: Query) =>
    cacheKey({ question, checkingDisabled, dnssecOk: edns?.dnssecOk ?? false }, "*");
  /** What a client of the slow path gets; a hit becomes hot, as in the agent. */
  const slow = (query: Query, seconds: number): Uint8Array | undefined => {
    const hit = cache.get(keyOf(query), inMs(seconds));
    if (hit?.kept !== undefined) hot.promote(hit.kept, inMs(seconds));
    return hit && encodeAnswer(query, hit.answer, { maxOctets: 65535 });
  };
  const find = (query: Query, seconds: number): boolean => {
    const { name, type, flags, hash } = lookupOf(query);
    reader.nowMs = inMs(seconds) + BOOT_OFFSET_MS;
    return reader.find(name, name.length, type, flags, hash);
  };
  /** What a client of a worker gets; undefined where that hands the query over. */
  const fast = (query: Query, seconds: number): Uint8Array | undefined =>
    find(query, seconds) ? answerMessage(query, reader) : undefined;
  return {
    cache,
    hot,
    reader,
    keyOf,
    slow,
    find,
    fast,
    /** Keeps an answer, and makes it hot. */
    heat(query: Query, answer: Answer, seconds = 0): void {
      cache.put(keyOf(query), answer, inMs(seconds));
      slow(query, seconds);
    },
  };
}
