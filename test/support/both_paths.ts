/**
 * The slow and the fast path over one table, for tests that hold the one to the other.
 *
 * @module
 */
import assert from "node:assert/strict";
import { AnswerCache } from "../../agent/cache/answer_cache.ts";
import { cacheKey } from "../../agent/cache/cache_key.ts";
import { HotCache } from "../../agent/cache/hot_cache.ts";
import { HotCacheReader } from "../../agent/cache/hot_cache_reader.ts";
import type { Answer } from "../../agent/dns/answer.ts";
import { parseRange } from "../../agent/dns/ip_address.ts";
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { meshSearchDomains, type MeshView } from "../../agent/names/mesh_lookup.ts";
import type { ForwardedRequest } from "../../agent/resolver/cached_upstream.ts";
import { NameTable } from "../../agent/names/name_table.ts";
import { packTable } from "../../agent/names/pack_table.ts";
import { finishedHash, hashOctets } from "../../agent/names/table_layout.ts";
import { TableReader } from "../../agent/names/table_reader.ts";
import { Resolver } from "../../agent/resolver/resolver.ts";
import { FastAnswerer } from "../../agent/server/fast_answer.ts";
import { fastView } from "../../agent/server/fast_view.ts";
import { QueryHandler } from "../../agent/server/query_handler.ts";
import { ManualClock } from "./manual_clock.ts";

const CLUSTER_DOMAIN = "cluster.local";
const VIP_RANGES = [parseRange("240.240.0.0/16")!, parseRange("2001:2::/48")!];
/** A view with the mesh's search domains and two of the VM's own. */
export const VIEW: MeshView = {
  clusterDomain: CLUSTER_DOMAIN,
  namespace: "vm",
  searchDomains: [
    ...meshSearchDomains({ namespace: "vm", clusterDomain: CLUSTER_DOMAIN }),
    "corp.example",
    "example.com",
  ],

  serveAutoAllocated: false,
};

/** Where the message lies in its memory, and what surrounds it. */
const AT = 4096;
const GUARD = 0xa5;

/** Answers a message; undefined where it does not. */
type Path = (message: Uint8Array, rotation?: number) => Uint8Array | undefined;

/** Both paths, and what they stand on. */
export interface BothPaths {
  /** The slow path. */
  slow: Path;
  /** The fast path. */
  fast: Path;
  /** Puts an upstream server's answer into the cache; the slow path's first hit makes it hot. */
  keep(request: ForwardedRequest, answer: Answer): void;
  /** Ages the cache. */
  clock: ManualClock;
}

/** Start value of the hashes. */
const SEED = 42;

/**
 * Both paths over one table. `slow` leaves unanswered what upstream servers would be asked; `fast` sees
 * to it that nothing outside the answer is written, and nothing at all where there is none.
 */
export function bothPaths(
  entries: readonly HostEntry[],
  view: MeshView = VIEW,
): BothPaths {
  const options = { clusterDomain: CLUSTER_DOMAIN, exclude: [], vipRanges: VIP_RANGES, seed: SEED };
  const { buffer } = packTable(entries, options);
  let rotation = 0;
  const clock = new ManualClock();
  const cache = new AnswerCache();
  const hotCache = new HotCache({
    cache,
    hashOf: (name) => finishedHash(hashOctets(SEED, name, 0, name.length)),
    bootOffsetMs: () => 0,
  });
  const resolver = new Resolver({
    mesh: { table: new NameTable(buffer), complete: true, view },
    cache,
    upstream: { exchange: () => new Promise(() => {}), groupOf: () => "" },
    clock,
    random: { uint16: () => rotation, fraction: () => 0, bytes: (n) => new Uint8Array(n) },
  });
  const handler = new QueryHandler({
    resolver,
    clock,
    onCacheHit: (kept) => hotCache.promote(kept, clock.monotonicMs()),
    observer: { onQuery() {}, onAnswer() {}, onDropped() {} },
    log: { child: () => assert.fail(), ...NO_LOG },
    maxInFlight: Infinity,
    maxInFlightPerClient: Infinity,
  });
  const slow = (message: Uint8Array, turn = 0): Uint8Array | undefined => {
    rotation = turn;
    let answer: Uint8Array | undefined;
    handler.handle(message, { transport: "udp", client: "127.0.0.1" }, (reply) => answer = reply);
    return answer;
  };
  const reader = new HotCacheReader(hotCache.memory);
  const answerer = new FastAnswerer(
    { table: new TableReader(buffer), view: fastView(view), cache: reader },
    7,
  );
  const fast = (message: Uint8Array): Uint8Array | undefined => {
    const memory = new Uint8Array(3 * AT).fill(GUARD);
    memory.set(message, AT);
    const before = memory.slice();
    reader.nowMs = clock.monotonicMs();
    const length = answerer.answer(memory, AT, message.length);
    const end = length === 0 ? AT : AT + length;
    assert.deepEqual(memory.subarray(0, AT), before.subarray(0, AT), "written before the slot");
    assert.deepEqual(
      memory.subarray(Math.max(end, AT + message.length)),
      before.subarray(Math.max(end, AT + message.length)),
      "written behind the answer",
    );
    if (length === 0) assert.deepEqual(memory, before, "the query was changed");
    return length === 0 ? undefined : memory.slice(AT, end);
  };
  const keep = (request: ForwardedRequest, answer: Answer) =>
    void cache.put(cacheKey(request, ""), answer, clock.monotonicMs());
  return { slow, fast, keep, clock };
}

const NO_LOG = { debug() {}, info() {}, warn() {}, error: () => assert.fail() };

/** Whether the slow path gives `answer` to `message` with one of the rotations. */
export function isSlowAnswer(slow: Path, message: Uint8Array, answer: Uint8Array): boolean {
  const wanted = answer.join();
  for (let turn = 0; turn < 256; turn++) {
    if (slow(message, turn)?.join() === wanted) return true;
  }
  return false;
}
