import assert from "node:assert/strict";
import fc from "fast-check";
import { query } from "../../test/support/dns_messages.ts";
import { lookupOf, makeHotCache } from "../../test/support/hot_cache_fixture.ts";
import { type Answer, failureAnswer, localAnswer } from "../dns/answer.ts";
import type { Query } from "../dns/query.ts";
import { addressRecord, type ResourceRecord } from "../dns/record.ts";
import { questionHash, WAYS } from "./hot_cache_layout.ts";

const WWW = query("www.example.org", "A");
const a = (last: number, ttlSeconds = 60) =>
  addressRecord("www.example.org", Uint8Array.of(192, 0, 2, last), { ttlSeconds });
const answer = (last = 1, ttlSeconds?: number) =>
  localAnswer({ authoritative: false, answers: [a(last, ttlSeconds)] });
const opaque = (octets: number): ResourceRecord => ({
  ...a(1),
  type: 65,
  rdata: new Uint8Array(octets),
});

const LIMITS = {
  maxBytes: 1024 ** 2,
  minTtlSeconds: 0,
  maxTtlSeconds: 86_400,
  staleSeconds: 0,
  prefetch: true,
};

/** Queries that fall into one bucket of `slots`. */
function sameBucket(count: number, slots: number): Query[] {
  const found: Query[] = [];
  for (let i = 0; found.length < count; i++) {
    const question = query(`host-${i}.example.org`, "A");
    const { hash, type, flags } = lookupOf(question);
    if ((questionHash(hash, type, flags) & slots - WAYS) === 0) found.push(question);
  }
  return found;
}

Deno.test("HotCache takes in what was asked for again, and nothing else", async (t) => {
  const { cache, hot, keyOf, slow, find } = makeHotCache();
  cache.put(keyOf(WWW), answer(), 0);
  assert.deepEqual([find(WWW, 0), hot.size], [false, 0]);
  slow(WWW, 0);
  assert.deepEqual([find(WWW, 0), hot.size], [true, 1]);
  const cases: [string, Answer, number][] = [
    ["a failure", failureAnswer(2), 0],
    ["an answer with an extended error", { ...answer(), extendedError: { code: 4, text: "" } }, 0],
    ["a stale answer", answer(1, 5), 6],
    ["an answer that is larger than a slot", localAnswer({ answers: [opaque(500)] }), 0],
  ];
  for (const [title, given, seconds] of cases) {
    await t.step(title, () => {
      const { cache, hot, keyOf, slow } = makeHotCache();
      cache.put(keyOf(WWW), given, 0);
      if (seconds > 0) cache.put(keyOf(WWW), failureAnswer(2), seconds * 1000);
      assert.ok(slow(WWW, seconds));
      assert.equal(hot.size, 0);
    });
  }
});

Deno.test("HotCache takes in no answer that a client could not take whole", () => {
  const asked = query("www.example.org", "UNKNOWN_65", { edns: { udpPayloadSize: 512 } });
  let largest = 0;
  for (let octets = 300; octets < 500; octets++) {
    const { heat, fast } = makeHotCache({ slots: 4 });
    heat(asked, localAnswer({ answers: [opaque(octets)] }));
    largest = Math.max(largest, fast(asked, 0)?.length ?? 0);
  }
  assert.ok(largest > 490 && largest <= 512, `${largest} octets`);
});

Deno.test("HotCache forgets at once what the cache replaces, forgets or evicts", async (t) => {
  type Made = ReturnType<typeof makeHotCache>;
  const cases: [string, (made: Made) => void][] = [
    ["replaced", ({ cache, keyOf }) => cache.put(keyOf(WWW), answer(2), 1_000)],
    ["not to be kept", ({ cache, keyOf }) => cache.put(keyOf(WWW), answer(2, 0), 1_000)],
    ["flushed", ({ cache }) => cache.flush("example.org")],
    ["evicted", ({ cache }) => cache.configure({ ...LIMITS, maxBytes: 1 })],
    ["forgotten", ({ hot, keyOf }) => hot.forget(keyOf(WWW))],
    ["cleared", ({ hot }) => hot.clear()],
  ];
  for (const [title, change] of cases) {
    await t.step(title, () => {
      const made = makeHotCache();
      made.heat(WWW, answer());
      assert.equal(made.find(WWW, 1), true);
      change(made);
      assert.deepEqual([made.find(WWW, 1), made.hot.size], [false, 0]);
    });
  }
  await t.step("a failure beside it changes nothing", () => {
    const { cache, heat, find, keyOf } = makeHotCache();
    heat(WWW, answer());
    cache.put(keyOf(WWW), failureAnswer(2), 1_000);
    assert.deepEqual([find(WWW, 59), find(WWW, 60)], [true, false]);
  });
});

Deno.test("HotCache.promote() makes room in a bucket: what ended first, then the coldest", () => {
  const { hot, heat, find, fast } = makeHotCache({ slots: 64 });
  const [warm, ended, cold, warmer, fifth, sixth, seventh] = sameBucket(7, 64);
  for (const question of [warm, ended, cold, warmer]) {
    heat(question, answer(1, question === ended ? 5 : 60));
  }
  const hit = (question: Query, seconds: number, times = 9) => {
    for (let i = 0; i < times; i++) assert.ok(fast(question, seconds));
  };
  for (const question of [ended, warm, warmer]) hit(question, 1, 50);
  hot.fold(2_000);
  const present = (seconds: number) =>
    [warm, ended, cold, warmer, fifth, sixth, seventh].map((question) => find(question, seconds));
  heat(fifth, answer(), 6);
  assert.deepEqual(present(6), [true, false, true, true, true, false, false]);
  // Hits that nobody has folded yet count as well.
  hit(cold, 6, 2);
  hot.fold(6_000);
  hit(fifth, 6);
  heat(sixth, answer(), 6);
  assert.deepEqual(present(6), [true, false, false, true, true, true, false]);
  // And those of a while ago do not.
  for (let seconds = 7; seconds < 17; seconds++) {
    hit(sixth, seconds, 1);
    if (seconds > 13) hit(warmer, seconds, 1);
    if (seconds > 14) hit(fifth, seconds, 1);
    hot.fold(seconds * 1000);
  }
  heat(seventh, answer(), 17);
  assert.deepEqual(present(17), [false, false, false, true, true, true, true]);
  assert.equal(hot.size, WAYS);
});

Deno.test("HotCache.promote() tries what is too large only once", () => {
  const { cache, hot, keyOf } = makeHotCache();
  cache.put(keyOf(WWW), localAnswer({ answers: [opaque(500)] }), 0);
  const kept = cache.get(keyOf(WWW), 0)!.kept!;
  let looks = 0;
  const watched = {
    ...kept.answer,
    get answers() {
      looks++;
      return kept.answer.answers;
    },
  };
  hot.promote({ ...kept, answer: watched }, 0);
  const once = looks;
  hot.promote({ ...kept, answer: watched }, 1_000);
  assert.ok(once > 0);
  assert.equal(looks, once);
});

Deno.test("HotCache.promote() never holds more than its slots", () => {
  const { hot, heat, find } = makeHotCache({ slots: 16 });
  const asked = Array.from({ length: 200 }, (_, i) => query(`host-${i}.example.org`, "A"));
  for (const question of asked) {
    heat(question, answer());
    assert.equal(find(question, 0), true);
    assert.ok(hot.size <= 16);
  }
  assert.equal(asked.filter((question) => find(question, 0)).length, hot.size);
});

Deno.test("HotCache.fold() tells the cache of hits, and lets go what has ended", () => {
  const { cache, hot, keyOf, heat, fast } = makeHotCache();
  heat(WWW, answer());
  for (let i = 0; i < 5; i++) fast(WWW, 1);
  assert.equal(cache.counts.positive, 1);
  hot.fold(2_000);
  assert.equal(cache.counts.positive, 6);
  hot.fold(3_000);
  assert.equal(cache.counts.positive, 6);
  // Hits of an entry that goes are told before it goes.
  fast(WWW, 4);
  hot.forget(keyOf(WWW));
  assert.equal(cache.counts.positive, 7);
  heat(query("absent.example.org", "A"), answer(1, 2));
  hot.fold(61_000);
  assert.equal(hot.size, 0);
});

Deno.test("HotCache.fold() keeps in the cache what workers are asked for", () => {
  const asked = Array.from({ length: 40 }, (_, i) => query(`host-${i}.example.org`, "A"));
  const survivors = (served: boolean) => {
    const { cache, hot, keyOf, heat, fast } = makeHotCache({ maxBytes: 20_000 });
    heat(WWW, answer());
    for (const question of asked) {
      if (served) fast(WWW, 1);
      hot.fold(1_000);
      heat(question, answer(), 1);
    }
    return cache.get(keyOf(WWW), 1_000) !== undefined;
  };
  assert.deepEqual([survivors(true), survivors(false)], [true, false]);
});

Deno.test("HotCache never says what the cache would not, whatever happens", () => {
  const names = ["a", "b", "c", "d", "e"].map((label) => `${label}.example.org`);
  const step = fc.record({
    what: fc.constantFrom(
      "put",
      "put",
      "fail",
      "ask",
      "ask",
      "ask",
      "fold",
      "flush",
      "clear",
      "room",
    ),
    name: fc.constantFrom(...names),
    ttl: fc.integer({ min: 0, max: 9 }),
    passMs: fc.constantFrom(0, 0, 1, 700, 1_000, 3_300),
  });
  let hits = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60, size: "max" }), (steps) => {
      const { cache, hot, keyOf, slow, fast } = makeHotCache({ ...LIMITS, slots: 4 });
      let nowMs = 0;
      steps.forEach(({ what, name, ttl, passMs }, i) => {
        nowMs += passMs;
        const question = query(name, "A");
        if (what === "put") cache.put(keyOf(question), answer(i & 0xff, ttl), nowMs);
        if (what === "fail") cache.put(keyOf(question), failureAnswer(2), nowMs);
        if (what === "ask") slow(question, nowMs / 1000);
        if (what === "fold") hot.fold(nowMs);
        if (what === "flush") cache.flush(name);
        if (what === "clear") hot.clear();
        if (what === "room") cache.configure({ ...LIMITS, maxBytes: 1_000 + 900 * ttl });
        for (const asked of names.map((text) => query(text, "A"))) {
          const given = fast(asked, nowMs / 1000);
          if (given === undefined) continue;
          hits++;
          assert.deepEqual(given, slow(asked, nowMs / 1000));
        }
      });
    }),
    { numRuns: 300 },
  );
  assert.ok(hits > 300, `only ${hits} hits`);
});
