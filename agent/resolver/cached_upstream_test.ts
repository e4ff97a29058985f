import assert from "node:assert/strict";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import { AnswerCache, CACHE_DEFAULTS } from "../cache/answer_cache.ts";
import { type Answer, failureAnswer, localAnswer } from "../dns/answer.ts";
import { addressRecord, soaRecord } from "../dns/record.ts";
import {
  CachedUpstream,
  type ForwardedAnswer,
  OUTAGE_MS,
  REFRESH_ROOM,
  REFRESHES_MAX,
  STALE_AFTER_MS,
} from "./cached_upstream.ts";

const TTL_SECONDS = 100;
const positive = (last: number): Answer =>
  localAnswer({
    answers: [
      addressRecord("www.example.org", Uint8Array.of(192, 0, 2, last), { ttlSeconds: TTL_SECONDS }),
    ],
  });
const NXDOMAIN = localAnswer({
  rcode: 3,
  authority: [soaRecord("example.org", { ttlSeconds: TTL_SECONDS })],
});
const SERVFAIL = failureAnswer(2);
const REFUSED = failureAnswer(5);
const SILENCE = "silence";

/** Upstream servers that answer `next` after `delayMs`; silence takes 4.5 s to be noticed. */
function make(limits: Partial<typeof CACHE_DEFAULTS> = {}) {
  const clock = new ManualClock();
  const cache = new AnswerCache(limits);
  const script: { next: Answer | typeof SILENCE; delayMs: number; group: string } = {
    group: "*",
    next: positive(1),
    delayMs: 10,
  };
  let asked = 0;
  const upstream = new CachedUpstream({
    cache,
    clock,
    upstream: {
      groupOf: () => script.group,
      async exchange() {
        asked++;
        const { next, delayMs } = script;
        const waitMs = next === SILENCE ? 4_500 : delayMs;
        await new Promise<void>((resolve) => clock.schedule(waitMs, resolve));
        return next === SILENCE
          ? { kind: "failure", reason: "no upstream server answered", timedOut: true }
          : { kind: "answer", answer: next, server: "192.0.2.53:53", roundTripMs: delayMs };
      },
    },
  });
  const request = (name = "www.example.org") => ({
    question: { name, type: 1, class: 1 },
    dnssecOk: false,
    checkingDisabled: false,
  });
  const short = ({ answer, source }: ForwardedAnswer) => {
    const [record] = answer.answers;
    const what = record === undefined ? `rcode ${answer.rcode}` : `.${record.rdata[3]}`;
    const error = answer.extendedError === undefined ? "" : ` EDE ${answer.extendedError.code}`;
    return `${source} ${what}${error}`;
  };
  /** Asks as a client does: what it gets, and after how many milliseconds. */
  const ask = async (name?: string) => {
    const cached = upstream.cached(request(name));
    if (cached !== undefined) return short(cached);
    const startedMs = clock.monotonicMs();
    let done: string | undefined;
    void upstream.ask(request(name)).then((answer) => {
      done = `${short(answer)} after ${clock.monotonicMs() - startedMs} ms`;
    });
    for (const untilMs of [0, 10, STALE_AFTER_MS, 4_500]) {
      if (done !== undefined) break;
      await clock.advance(startedMs + untilMs - clock.monotonicMs());
    }
    return done;
  };
  return { clock, cache, upstream, request, script, ask, asked: () => asked };
}

/** Has an answer that ended `agoMs` ago. */
async function makeStale(agoMs = 1_000) {
  const fixture = make();
  await fixture.ask();
  await fixture.clock.advance(TTL_SECONDS * 1000 + agoMs);
  return fixture;
}

Deno.test("CachedUpstream gives a stale answer where upstream servers fail", async (t) => {
  const cases: [string, Answer | typeof SILENCE, string][] = [
    ["SERVFAIL", SERVFAIL, "stale .1 EDE 3 after 10 ms"],
    ["REFUSED", REFUSED, "stale .1 EDE 3 after 10 ms"],
    ["silence", SILENCE, "stale .1 EDE 3 after 1800 ms"],
    ["but NXDOMAIN replaces it", NXDOMAIN, "upstream rcode 3 after 10 ms"],
    ["and so does another address", positive(2), "upstream .2 after 10 ms"],
  ];
  for (const [title, next, expected] of cases) {
    await t.step(title, async () => {
      const { script, ask } = await makeStale();
      script.next = next;
      assert.equal(await ask(), expected);
    });
  }
  await t.step("a stale NXDOMAIN says so", async () => {
    const { script, ask, clock } = make();
    script.next = NXDOMAIN;
    await ask();
    script.next = SERVFAIL;
    await clock.advance(TTL_SECONDS * 1000);
    assert.equal(await ask(), "stale rcode 3 EDE 19 after 10 ms");
  });
  await t.step("nothing to give: the failure", async () => {
    const { script, ask } = make();
    script.next = SILENCE;
    assert.equal(await ask(), "failure rcode 2 EDE 22 after 4500 ms");
    assert.equal(await ask(), "cache rcode 2 EDE 22");
  });
  await t.step("switched off: the failure", async () => {
    const { script, ask, clock } = make({ staleSeconds: 0 });
    await ask();
    await clock.advance(TTL_SECONDS * 1000);
    script.next = SERVFAIL;
    assert.equal(await ask(), "upstream rcode 2 after 10 ms");
  });
});

Deno.test("CachedUpstream asks again 30 s after a failure, and gives the stale answer at once till then", async () => {
  const { script, ask, asked, clock } = await makeStale();
  script.next = SERVFAIL;
  await ask();
  const before = asked();
  await clock.advance(29_900);
  assert.equal(await ask(), "stale .1 EDE 3");
  assert.equal(asked(), before);
  await clock.advance(100);
  script.next = positive(2);
  assert.equal(await ask(), "upstream .2 after 10 ms");
});

Deno.test("CachedUpstream goes on asking after the stale answer, and keeps what comes", async () => {
  const { script, ask, asked, clock } = await makeStale();
  script.next = positive(2);
  script.delayMs = 3_000;
  assert.equal(await ask(), `stale .1 EDE 3 after ${STALE_AFTER_MS} ms`);
  // Who asks meanwhile joins the question in flight, and need not wait either.
  assert.equal(await ask(), "stale .1 EDE 3 after 0 ms");
  assert.equal(asked(), 2);
  await clock.advance(1_200);
  assert.equal(await ask(), "cache .2");
});

Deno.test("CachedUpstream refreshes a hot answer before it ends, while it answers from it", async () => {
  const { script, ask, asked, clock, cache } = make();
  await ask();
  await ask();
  await clock.advance(95_000);
  script.next = positive(2);
  assert.equal(await ask(), "cache .1");
  await clock.advance(10);
  assert.equal(asked(), 2);
  assert.equal(await ask(), "cache .2");
  await clock.advance(60_000);
  // Without the refresh it would have ended.
  assert.equal(await ask(), "cache .2");
  assert.deepEqual([asked(), cache.counts.miss, cache.counts.prefetch], [2, 1, 1]);
});

Deno.test("CachedUpstream keeps the answer where its refresh fails", async () => {
  const { script, ask, asked, clock } = make();
  await ask();
  await ask();
  await clock.advance(95_000);
  script.next = SILENCE;
  await ask();
  await clock.advance(4_500);
  assert.equal(await ask(), "cache .1");
  await clock.advance(10_000);
  assert.equal(await ask(), "stale .1 EDE 3");
  assert.equal(asked(), 2);
});

Deno.test("CachedUpstream refreshes only so many at a time, and only while there is room", async (t) => {
  const HOT = 2 * REFRESHES_MAX;
  /** Has {@link HOT} hot answers that are due; upstream servers answer when they are told to. */
  const makeHot = async () => {
    const { clock, cache, request } = make();
    const waiting: (() => void)[] = [];
    const upstream = new CachedUpstream({
      cache,
      clock,
      upstream: {
        groupOf: () => "*",
        exchange: () =>
          new Promise((resolve) =>
            waiting.push(() =>
              resolve({ kind: "answer", answer: positive(1), server: "", roundTripMs: 1 })
            )
          ),
      },
    });
    const ask = (names: string[]) => names.forEach((name) => void upstream.ask(request(name)));
    const hit = (names: string[]) => names.forEach((name) => upstream.cached(request(name)));
    const answerAll = async () => {
      for (const answer of waiting.splice(0)) answer();
      await settle();
    };
    const hot = Array.from({ length: HOT }, (_, i) => `${i}.example.org`);
    ask(hot);
    await answerAll();
    hit(hot);
    await clock.advance(95_000);
    return { hot, ask, hit, answerAll, asked: () => waiting.length };
  };
  await t.step("a hundred, and others when those are done", async () => {
    const { hot, hit, answerAll, asked } = await makeHot();
    hit(hot.slice(0, REFRESHES_MAX + 5));
    assert.equal(asked(), REFRESHES_MAX);
    await answerAll();
    hit(hot.slice(REFRESHES_MAX + 5));
    assert.equal(asked(), HOT - REFRESHES_MAX - 5);
  });
  await t.step("clients first", async () => {
    const { hot, ask, hit, asked } = await makeHot();
    const clients = REFRESH_ROOM - 5;
    ask(Array.from({ length: clients }, (_, i) => `client-${i}.example.org`));
    hit(hot);
    assert.equal(asked() - clients, 5);
  });
});

Deno.test("CachedUpstream keeps to itself what servers say about its own query", async (t) => {
  for (const [title, rcode] of [["FORMERR", 1], ["BADVERS", 16], ["BADCOOKIE", 23]] as const) {
    await t.step(title, async () => {
      const { script, ask } = make();
      script.next = failureAnswer(rcode);
      assert.equal(await ask(), "upstream rcode 2 EDE 0 after 10 ms");
    });
  }
  await t.step("REFUSED is about the name", async () => {
    const { script, ask } = make();
    script.next = REFUSED;
    assert.equal(await ask(), "upstream rcode 5 after 10 ms");
  });
});

Deno.test("CachedUpstream remembers no failure that was its own want of room", async () => {
  const { clock, cache, request } = make();
  let overloaded = true;
  const upstream = new CachedUpstream({
    cache,
    clock,
    upstream: {
      groupOf: () => "*",
      exchange: () =>
        Promise.resolve(
          overloaded
            ? { kind: "failure", reason: "no room", timedOut: false, overloaded }
            : { kind: "answer", answer: positive(1), server: "x", roundTripMs: 1 },
        ),
    },
  });
  assert.equal((await upstream.ask(request())).source, "failure");
  assert.equal(upstream.cached(request()), undefined);
  overloaded = false;
  assert.equal((await upstream.ask(request())).source, "upstream");
});

Deno.test("CachedUpstream keeps answers of other groups of servers apart", async () => {
  const { script, ask } = make();
  await ask();
  script.group = "corp.example";
  script.next = positive(2);
  assert.equal(await ask(), "upstream .2 after 10 ms");
  script.group = "*";
  assert.equal(await ask(), "cache .1");
});

Deno.test("CachedUpstream.underLoad() gives what ended, and nothing else", async () => {
  const { upstream, request, ask, clock } = make();
  assert.equal(upstream.underLoad(request()), undefined);
  await ask();
  await clock.advance(TTL_SECONDS * 1000);
  assert.equal(upstream.underLoad(request())!.source, "stale");
});

Deno.test("CachedUpstream.flush() forgets, and keeps nothing that was under way", async () => {
  const { script, ask, asked, clock, upstream, request } = make();
  await ask();
  await ask("other.example");
  assert.equal(upstream.flush("example.org"), 1);
  script.delayMs = 500;
  const before = upstream.ask(request());
  assert.equal(upstream.flush(), 1);
  script.next = positive(2);
  script.delayMs = 1_000;
  const after = upstream.ask(request());
  await clock.advance(500);
  assert.equal((await before).answer.answers[0].rdata[3], 1);
  assert.equal(upstream.cached(request()), undefined);
  await clock.advance(500);
  assert.equal((await after).answer.answers[0].rdata[3], 2);
  assert.equal(await ask(), "cache .2");
  assert.equal(asked(), 4);
});

Deno.test("CachedUpstream forgets failures when upstream servers return after an outage", async (t) => {
  const failing = async ({ outageMs = 0, answersBetween = false }) => {
    const fixture = make();
    const { script, ask, clock } = fixture;
    script.next = SILENCE;
    for (let i = 0; i < 3; i++) {
      await ask();
      await clock.advance(2 ** (i + 1) * 1_000 - 1);
    }
    await clock.advance(outageMs);
    script.next = positive(1);
    if (answersBetween) await ask("before.example.org");
    script.next = SILENCE;
    await ask("silent.example.org");
    script.next = positive(1);
    await ask("other.example.org");
    return fixture;
  };
  await t.step("those of every name", async () => {
    const { ask } = await failing({});
    assert.equal(await ask("silent.example.org"), "upstream .1 after 10 ms");
  });
  await t.step("but not where other names were answered all the time", async () => {
    const { ask } = await failing({ answersBetween: true });
    assert.equal(await ask("silent.example.org"), "cache rcode 2 EDE 22");
  });
  await t.step("and when it is told that others took their place", async () => {
    const { ask, upstream } = await failing({ answersBetween: true });
    upstream.forgetFailures();
    assert.equal(await ask("silent.example.org"), "upstream .1 after 10 ms");
  });
  assert.ok(OUTAGE_MS > 4_500, "one silent name alone is no outage");
});

Deno.test("CachedUpstream does not notice when the wall clock jumps", async () => {
  const { ask, asked, clock } = make();
  await ask();
  for (const hours of [24, -48]) {
    clock.jumpWall(hours * 3_600_000);
    assert.equal(await ask(), "cache .1");
  }
  assert.equal(asked(), 1);
});

Deno.test("CachedUpstream leaves nothing behind where upstream meets a fault of our own", async () => {
  const clock = new ManualClock();
  let faulty = true;
  const upstream = new CachedUpstream({
    cache: new AnswerCache(),
    clock,
    upstream: {
      groupOf: () => "*",
      exchange: () =>
        faulty
          ? Promise.reject(new Error("a bug"))
          : Promise.resolve({ kind: "answer", answer: positive(1), server: "x", roundTripMs: 1 }),
    },
  });
  const request = {
    question: { name: "www.example.org", type: 1, class: 1 },
    dnssecOk: false,
    checkingDisabled: false,
  };
  await assert.rejects(upstream.ask(request), /a bug/);
  faulty = false;
  assert.equal((await upstream.ask(request)).source, "upstream");
  assert.equal(clock.pendingCount, 0);
});
