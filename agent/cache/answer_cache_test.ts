import assert from "node:assert/strict";
import fc from "fast-check";
import { type Answer, failureAnswer, localAnswer } from "../dns/answer.ts";
import { addressRecord, cnameRecord, soaRecord } from "../dns/record.ts";
import { AnswerCache, cacheKey } from "./answer_cache.ts";
import { lifetimeOf } from "./answer_ttl.ts";

const a = (ttlSeconds: number, name = "a.example") =>
  addressRecord(name, Uint8Array.of(192, 0, 2, 1), { ttlSeconds });
const positive = (ttlSeconds: number): Answer => localAnswer({ answers: [a(ttlSeconds)] });
const soa = (ttlSeconds: number, minimum: number) => ({
  ...soaRecord("example", { ttlSeconds: minimum }),
  ttlSeconds,
});

Deno.test("lifetimeOf() follows the RFCs", async (t) => {
  const cases: [string, Answer, string, number][] = [
    [
      "the least TTL of the answer section",
      localAnswer({ answers: [a(60), a(20)] }),
      "positive",
      20,
    ],
    ["at most a day", positive(1_000_000), "positive", 86_400],
    ["TTL 0", positive(0), "positive", 0],
    [
      "NXDOMAIN: the SOA's MINIMUM",
      localAnswer({ rcode: 3, authority: [soa(600, 30)] }),
      "negative",
      30,
    ],
    [
      "NXDOMAIN: the SOA's own TTL",
      localAnswer({ rcode: 3, authority: [soa(20, 600)] }),
      "negative",
      20,
    ],
    [
      "NXDOMAIN: at most an hour",
      localAnswer({ rcode: 3, authority: [soa(90_000, 90_000)] }),
      "negative",
      3_600,
    ],
    ["NXDOMAIN without a SOA", localAnswer({ rcode: 3 }), "negative", 0],
    ["NODATA", localAnswer({ authority: [soa(600, 30)] }), "negative", 30],
    [
      "a chain that ends in NODATA",
      localAnswer({
        answers: [cnameRecord("a", "b", { ttlSeconds: 10 })],
        authority: [soa(600, 30)],
      }),
      "negative",
      10,
    ],
    [
      "a chain without its end",
      localAnswer({ answers: [cnameRecord("a", "b", { ttlSeconds: 10 })] }),
      "positive",
      10,
    ],
    ["SERVFAIL", failureAnswer(2), "failure", 2],
    ["REFUSED", failureAnswer(5), "failure", 2],
  ];
  for (const [title, answer, kind, seconds] of cases) {
    await t.step(title, () => assert.deepEqual(lifetimeOf(answer), { kind, seconds }));
  }
});

Deno.test("AnswerCache.get() counts TTLs down, to the end of the life", () => {
  const cache = new AnswerCache();
  cache.put("k 1", localAnswer({ answers: [a(60), a(20)] }), 1_000);
  const ttls = (nowMs: number) => cache.get("k 1", nowMs)?.answer.answers.map((r) => r.ttlSeconds);
  // A record that outlives the answer is capped to it: nobody may keep it longer than this cache.
  assert.deepEqual(ttls(1_000), [20, 20]);
  assert.deepEqual(ttls(11_900), [10, 10]);
  assert.deepEqual(ttls(20_999), [1, 1]);
  assert.equal(ttls(21_000), undefined);
  assert.equal(cache.entries, 0);
});

Deno.test("AnswerCache.put() keeps nothing that may not be kept", () => {
  const cache = new AnswerCache();
  assert.equal(cache.put("k", positive(0), 0), false);
  assert.equal(cache.put("k", localAnswer({ rcode: 3 }), 0), false);
  assert.equal(cache.entries, 0);
});

Deno.test("cacheKey() tells apart what has different answers", () => {
  const question = { name: "a.example", type: 1, class: 1 };
  const base = { question, dnssecOk: false, checkingDisabled: false };
  const keys = [
    cacheKey(base, "g"),
    cacheKey({ ...base, dnssecOk: true }, "g"),
    cacheKey({ ...base, checkingDisabled: true }, "g"),
    cacheKey({ ...base, question: { ...question, type: 28 } }, "g"),
    cacheKey({ ...base, question: { ...question, class: 3 } }, "g"),
    cacheKey({ ...base, question: { ...question, name: "b.example" } }, "g"),
    cacheKey(base, "h"),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("AnswerCache evicts what was used longest ago", () => {
  const cache = new AnswerCache({ maxBytes: 2_000 });
  let stored = 0;
  while (cache.entries === stored) cache.put(`k${stored++}`, positive(60), 0);
  // k0 went first; used again, k1 outlives k2.
  assert.equal(cache.get("k0", 0), undefined);
  assert.ok(cache.get("k1", 0));
  cache.put("new", positive(60), 0);
  assert.ok(cache.get("k1", 0));
  assert.equal(cache.get("k2", 0), undefined);
});

Deno.test("AnswerCache.flush() forgets a domain, or all", () => {
  const cache = new AnswerCache();
  for (const name of ["a.example", "b.a.example", "xa.example"]) {
    cache.put(`${name} 1`, positive(60), 0);
  }
  assert.equal(cache.flush("a.example"), 2);
  assert.ok(cache.get("xa.example 1", 0));
  assert.equal(cache.flush(), 1);
  assert.deepEqual([cache.entries, cache.bytes], [0, 0]);
});

Deno.test("AnswerCache stays within its bound and gives nothing that ended", () => {
  const step = fc.record({
    key: fc.constantFrom(..."abcdefgh"),
    ttl: fc.integer({ min: 0, max: 5 }),
    records: fc.integer({ min: 1, max: 6 }),
    waitMs: fc.integer({ min: 0, max: 3_000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
    const maxBytes = 3_000;
    const cache = new AnswerCache({ maxBytes });
    const endsMs = new Map<string, number>();
    let nowMs = 0;
    for (const { key, ttl, records, waitMs } of steps) {
      nowMs += waitMs;
      const answer = localAnswer({ answers: Array.from({ length: records }, () => a(ttl)) });
      if (cache.put(`${key} 1`, answer, nowMs)) endsMs.set(key, nowMs + ttl * 1000);
      assert.ok(cache.bytes <= maxBytes && cache.bytes >= 0);
      for (const [other, endMs] of endsMs) {
        const hit = cache.get(`${other} 1`, nowMs);
        if (hit !== undefined) assert.ok(endMs > nowMs);
      }
    }
  }));
});
