import assert from "node:assert/strict";
import fc from "fast-check";
import { type Answer, failureAnswer, localAnswer } from "../dns/answer.ts";
import { addressRecord, soaRecord } from "../dns/record.ts";
import { AnswerCache, CACHE_DEFAULTS } from "./answer_cache.ts";

const KEY = "a.example 1";
const a = (ttlSeconds: number, last = 1) =>
  addressRecord("a.example", Uint8Array.of(192, 0, 2, last), { ttlSeconds });
const positive = (ttlSeconds: number, last = 1): Answer =>
  localAnswer({ answers: [a(ttlSeconds, last)] });
const nxdomain = (ttlSeconds: number): Answer =>
  localAnswer({ rcode: 3, authority: [soaRecord("example", { ttlSeconds })] });
const SERVFAIL = failureAnswer(2);

/** A cache, asked at a second: what it says in short. */
function make(limits: ConstructorParameters<typeof AnswerCache>[0] = {}) {
  const cache = new AnswerCache(limits);
  const short = (hit: ReturnType<AnswerCache["get"]>) => {
    if (hit === undefined) return "nothing";
    const { answer, stale, dueForRefresh } = hit;
    const record = answer.answers[0] ?? answer.authority[0];
    const what = record === undefined ? `rcode ${answer.rcode}` : `ttl ${record.ttlSeconds}`;
    return `${stale ? "stale " : ""}${hit.kind} ${what}${dueForRefresh ? ", due" : ""}`;
  };
  return {
    cache,
    put: (answer: Answer, seconds: number, key = KEY) => cache.put(key, answer, seconds * 1000),
    get: (seconds: number, key = KEY) => short(cache.get(key, seconds * 1000)),
    fallback: (seconds: number, key = KEY) => short(cache.fallback(key, seconds * 1000)),
  };
}

Deno.test("AnswerCache.get() counts TTLs down, to the end of the life", () => {
  const cache = new AnswerCache();
  cache.put(KEY, localAnswer({ answers: [a(60), a(20)] }), 1_000);
  const ttls = (nowMs: number) => cache.get(KEY, nowMs)?.answer.answers.map((r) => r.ttlSeconds);
  // A record that outlives the answer is bounded by it: nobody may keep it longer than this cache.
  assert.deepEqual(ttls(1_000), [20, 20]);
  assert.deepEqual(ttls(11_900), [10, 10]);
  assert.deepEqual(ttls(20_999), [1, 1]);
  assert.equal(ttls(21_000), undefined);
});

Deno.test("AnswerCache.put() keeps nothing that may not be kept, nor what that replaces", () => {
  const { cache, put, get, fallback } = make();
  assert.equal(put(positive(0), 0), false);
  assert.equal(put(localAnswer({ rcode: 3 }), 0), false);
  assert.equal(cache.entries, 0);
  put(positive(10), 0);
  assert.equal(put(positive(0), 20), false);
  assert.deepEqual([get(20), fallback(20), cache.bytes], ["nothing", "nothing", 0]);
});

Deno.test("AnswerCache.put() keeps nothing of the message that an answer came in", () => {
  const { cache, put } = make();
  const message = new Uint8Array(65_536);
  message.set([192, 0, 2, 1], 40);
  put(localAnswer({ answers: [{ ...a(60), rdata: message.subarray(40, 44) }] }), 0);
  message.fill(9);
  const { rdata } = cache.get(KEY, 0)!.answer.answers[0];
  assert.deepEqual([...rdata], [192, 0, 2, 1]);
  assert.equal(rdata.buffer.byteLength, 4);
});

Deno.test("AnswerCache keeps failures longer with each further one, until a success (RFC 9520)", () => {
  const { put, get } = make();
  const lives: number[] = [];
  let nowSeconds = 0;
  const fail = () => {
    put(SERVFAIL, nowSeconds);
    let life = 0;
    while (get(nowSeconds + life) === "failure rcode 2") life++;
    lives.push(life);
    nowSeconds += life;
  };
  for (let i = 0; i < 9; i++) fail();
  assert.deepEqual(lives.splice(0), [2, 4, 8, 16, 32, 64, 128, 256, 300]);
  put(positive(1), nowSeconds);
  nowSeconds += 1 + CACHE_DEFAULTS.staleSeconds;
  fail();
  assert.deepEqual(lives.splice(0), [2]);
  // A question that failed long ago begins anew.
  nowSeconds += 300;
  fail();
  assert.deepEqual(lives, [2]);
});

Deno.test("AnswerCache gives what ended where upstream servers fail (RFC 8767)", async (t) => {
  await t.step("not before they are asked", () => {
    const { put, get, fallback } = make();
    put(positive(10), 0);
    assert.deepEqual([get(10), fallback(10)], ["nothing", "stale positive ttl 30"]);
  });
  await t.step("at once for 30 s after they failed, then they are to be asked again", () => {
    const { put, get, fallback } = make();
    put(positive(10), 0);
    put(SERVFAIL, 20);
    assert.deepEqual([get(20), get(49)], ["stale positive ttl 30", "stale positive ttl 30"]);
    assert.deepEqual([get(50), fallback(50)], ["nothing", "stale positive ttl 30"]);
    put(failureAnswer(5), 50);
    assert.equal(get(79), "stale positive ttl 30");
  });
  await t.step("until the end of the stale window, and then the failure", () => {
    const { put, get, fallback } = make({ staleSeconds: 100 });
    put(positive(10), 0);
    put(SERVFAIL, 109);
    assert.deepEqual([get(109), fallback(109)], ["stale positive ttl 30", "stale positive ttl 30"]);
    assert.deepEqual([get(110), fallback(110)], ["nothing", "nothing"]);
    put(SERVFAIL, 110);
    assert.equal(get(110), "failure rcode 2");
  });
  await t.step("NXDOMAIN and NOERROR replace it", () => {
    const { put, get } = make();
    put(positive(10), 0);
    put(nxdomain(10), 20);
    assert.equal(get(20), "negative ttl 10");
    put(SERVFAIL, 40);
    assert.equal(get(40), "stale negative ttl 30");
    put(positive(60), 41);
    assert.equal(get(41), "positive ttl 60");
  });
  await t.step("a failure does not end an answer's life", () => {
    const { put, get } = make();
    put(positive(60), 0);
    put(SERVFAIL, 55);
    assert.deepEqual([get(55), get(60)], ["positive ttl 5", "stale positive ttl 30"]);
  });
  await t.step("never where it is off", () => {
    const { put, get, fallback } = make({ staleSeconds: 0 });
    put(positive(10), 0);
    put(SERVFAIL, 20);
    assert.deepEqual([get(20), fallback(20)], ["failure rcode 2", "nothing"]);
  });
});

Deno.test("AnswerCache.get() says once that a hot answer is due, in the last tenth of its life", async (t) => {
  const due = (limits: Parameters<typeof make>[0], ...seconds: number[]) => {
    const { cache, put, get } = make(limits);
    put(positive(100), 0);
    const answers = seconds.map((second) => get(second));
    return [answers.filter((text) => text.endsWith(", due")).length, cache.counts.prefetch];
  };
  const cases: [string, number[], number][] = [
    ["asked again twice", [50, 90], 1],
    ["asked again twice, near the end", [95, 99], 1],
    ["asked again once", [95], 0],
    ["not yet the last tenth", [50, 89], 0],
    ["once said, not said again", [90, 91, 92, 99], 1],
  ];
  for (const [title, seconds, said] of cases) {
    await t.step(title, () => assert.deepEqual(due({}, ...seconds), [said, said]));
  }
  await t.step("not where it is off", () => {
    assert.deepEqual(due({ prefetch: false }, 50, 95), [0, 0]);
  });
  await t.step("anew in the next life, after as many hits", () => {
    const { put, get } = make();
    for (const start of [0, 95]) {
      put(positive(100), start);
      assert.deepEqual(
        [get(start + 95), get(start + 96)],
        ["positive ttl 5", "positive ttl 4, due"],
      );
    }
  });
  await t.step("a failure never is", () => {
    const { put, get } = make();
    put(SERVFAIL, 0);
    assert.deepEqual([get(1.9), get(1.95)], Array(2).fill("failure rcode 2"));
  });
});

Deno.test("AnswerCache counts lookups by what they found", () => {
  const { cache, put, get } = make();
  get(0);
  put(positive(10), 0);
  get(1);
  get(11);
  put(SERVFAIL, 11);
  get(12);
  put(nxdomain(10), 13);
  get(13);
  put(SERVFAIL, 0, "b.example 1");
  get(1, "b.example 1");
  assert.deepEqual(cache.counts, {
    positive: 1,
    negative: 1,
    failure: 1,
    stale: 1,
    expired: 1,
    miss: 1,
    prefetch: 0,
    evicted: 0,
  });
});

Deno.test("AnswerCache keeps hot names through a flood of random ones", () => {
  const { cache, put, get } = make({ maxBytes: 100_000 });
  const hot = Array.from({ length: 30 }, (_, i) => `hot-${i}.example 1`);
  for (const key of hot) {
    put(positive(3_600), 0, key);
    get(1, key);
  }
  for (let i = 0; i < 5_000; i++) put(i % 2 ? positive(60) : nxdomain(60), 2, `${i}.example 1`);
  for (const key of hot) assert.equal(get(3, key), "positive ttl 3597", key);
  assert.ok(cache.counts.evicted > 4_800);
});

Deno.test("AnswerCache.flush() forgets a name with those below it, or all", () => {
  const { cache, put, get } = make();
  const names = ["a.example", "b.a.example", "xa.example", "example"];
  for (const name of names) put(positive(60), 0, `${name} 1`);
  assert.equal(cache.flush("a.example"), 2);
  assert.equal(get(0, "xa.example 1"), "positive ttl 60");
  assert.equal(get(0, "b.a.example 1"), "nothing");
  assert.equal(cache.flush(), 2);
  assert.deepEqual([cache.entries, cache.bytes], [0, 0]);
});

Deno.test("AnswerCache.configure() puts other limits in force at once", () => {
  const { cache, put, get, fallback } = make();
  for (let i = 0; i < 100; i++) put(positive(10), 0, `${i}.example 1`);
  const bytes = cache.bytes;
  cache.configure({ ...CACHE_DEFAULTS, maxBytes: bytes / 2, maxTtlSeconds: 5, staleSeconds: 0 });
  assert.ok(cache.bytes <= bytes / 2 && cache.entries >= 49);
  assert.equal(cache.maxBytes, bytes / 2);
  assert.equal(fallback(10, "99.example 1"), "nothing");
  put(positive(10), 0);
  assert.equal(get(0), "positive ttl 5");
});

Deno.test("AnswerCache stays within its bound, and gives nothing past its life and stale window", () => {
  const step = fc.record({
    key: fc.constantFrom(..."abcdefgh"),
    what: fc.constantFrom("positive", "positive", "negative", "failure"),
    ttl: fc.integer({ min: 0, max: 5 }),
    records: fc.integer({ min: 1, max: 6 }),
    waitMs: fc.integer({ min: 0, max: 3_000 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
    const maxBytes = 6_000;
    const cache = new AnswerCache({ maxBytes, staleSeconds: 4 });
    const endsMs = new Map<string, number>();
    let nowMs = 0;
    for (const { key, what, ttl, records, waitMs } of steps) {
      nowMs += waitMs;
      const answer = what === "failure"
        ? SERVFAIL
        : what === "negative"
        ? nxdomain(ttl)
        : localAnswer({ answers: Array.from({ length: records }, () => a(ttl)) });
      const kept = cache.put(`${key} 1`, answer, nowMs);
      if (what !== "failure") endsMs.set(key, kept ? nowMs + ttl * 1000 : -Infinity);
      assert.ok(cache.bytes <= maxBytes && cache.bytes >= 0);
      for (const [other, endMs] of endsMs) {
        const hit = cache.get(`${other} 1`, nowMs) ?? cache.fallback(`${other} 1`, nowMs);
        if (hit === undefined || hit.kind === "failure") continue;
        assert.equal(hit.stale, nowMs >= endMs);
        assert.ok(nowMs < endMs + 4_000);
        const ttls = [...hit.answer.answers, ...hit.answer.authority].map((r) => r.ttlSeconds);
        const mostSeconds = hit.stale ? 30 : Math.max(1, Math.ceil((endMs - nowMs) / 1000));
        assert.ok(ttls.every((seconds) => seconds >= 1 && seconds <= mostSeconds));
      }
    }
  }));
});

Deno.test("AnswerCache.get() says what a hit is a copy of, as it was stored", () => {
  const { cache } = make();
  cache.put(KEY, positive(100), 5_000);
  const { answer, kept } = cache.get(KEY, 15_000)!;
  assert.equal(answer.answers[0].ttlSeconds, 90);
  const { answer: stored, ...rest } = kept!;
  assert.deepEqual(stored, positive(100));
  assert.deepEqual(rest, {
    key: KEY,
    kind: "positive",
    storedMs: 5_000,
    expiresMs: 105_000,
    refreshMs: 95_000,
  });
  cache.put(KEY, SERVFAIL, 104_000);
  const { stale, kept: none } = cache.get(KEY, 106_000)!;
  assert.deepEqual([stale, none], [true, undefined]);
  cache.put("b.example 1", SERVFAIL, 0);
  assert.equal(cache.get("b.example 1", 0)!.kept, undefined);
});

Deno.test("AnswerCache.onGone is told what is replaced, forgotten or evicted", () => {
  const { cache, put, get } = make({ staleSeconds: 0 });
  const gone: string[] = [];
  const told = () => gone.splice(0).join();
  put(positive(10), 0);
  put(SERVFAIL, 0, "failed");
  cache.onGone = (key) => gone.push(key);
  put(SERVFAIL, 1);
  assert.equal(told(), "");
  put(positive(10), 2);
  assert.equal(told(), KEY);
  put(positive(0), 3);
  assert.equal(told(), KEY);
  cache.forgetFailures();
  assert.equal(told(), "failed");
  put(positive(10), 4);
  told();
  get(14);
  assert.equal(told(), KEY);
  put(positive(10), 20);
  told();
  cache.flush();
  assert.equal(told(), KEY);
  put(positive(10), 20);
  told();
  cache.configure({ ...CACHE_DEFAULTS, maxBytes: 1 });
  assert.equal(told(), KEY);
});

Deno.test("AnswerCache.used() counts as so many hits", () => {
  const { cache, put, get } = make();
  put(positive(100), 0);
  cache.used(KEY, { hits: 7, kind: "positive" });
  cache.used("absent", { hits: 3, kind: "negative" });
  assert.deepEqual([cache.counts.positive, cache.counts.negative, cache.counts.miss], [7, 3, 0]);
  // Hot enough to be asked for anew.
  assert.equal(get(95), "positive ttl 5, due");
});
