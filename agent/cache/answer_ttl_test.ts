import assert from "node:assert/strict";
import { type Answer, failureAnswer, localAnswer } from "../dns/answer.ts";
import { addressRecord, cnameRecord, soaRecord } from "../dns/record.ts";
import {
  agedAnswer,
  boundedAnswer,
  failureSeconds,
  lifetimeOf,
  staleAnswer,
} from "./answer_ttl.ts";

const a = (ttlSeconds: number) =>
  addressRecord("a.example", Uint8Array.of(192, 0, 2, 1), { ttlSeconds });
const soa = (ttlSeconds: number, minimum: number) => ({
  ...soaRecord("example", { ttlSeconds: minimum }),
  ttlSeconds,
});
const positive = (...ttls: number[]) => localAnswer({ answers: ttls.map(a) });
const chain = cnameRecord("a", "b", { ttlSeconds: 10 });
const DAY = { minSeconds: 0, maxSeconds: 86_400 };
const ttls = ({ answers, authority }: Answer) =>
  [...answers, ...authority].map(({ ttlSeconds }) => ttlSeconds);

Deno.test("lifetimeOf() follows the RFCs", async (t) => {
  const cases: [string, Answer, string, number][] = [
    ["the least TTL of the answer section", positive(60, 20), "positive", 20],
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
      localAnswer({ answers: [chain], authority: [soa(600, 30)] }),
      "negative",
      10,
    ],
    ["a chain without its end", localAnswer({ answers: [chain] }), "positive", 10],
    ["SERVFAIL", failureAnswer(2), "failure", 2],
    ["REFUSED", failureAnswer(5), "failure", 2],
  ];
  for (const [title, answer, kind, seconds] of cases) {
    await t.step(title, () => assert.deepEqual(lifetimeOf(answer, DAY), { kind, seconds }));
  }
});

Deno.test("lifetimeOf() keeps to the bounds that were configured", async (t) => {
  const bounds = { minSeconds: 30, maxSeconds: 300 };
  const cases: [string, Answer, number][] = [
    ["below the least", positive(5), 30],
    ["TTL 0", positive(0), 30],
    ["between", positive(60), 60],
    ["above the most", positive(600), 300],
    ["NXDOMAIN below the least", localAnswer({ rcode: 3, authority: [soa(5, 5)] }), 30],
    ["NXDOMAIN above the most", localAnswer({ rcode: 3, authority: [soa(600, 600)] }), 300],
    ["NXDOMAIN that may not be kept at all", localAnswer({ rcode: 3 }), 0],
  ];
  for (const [title, answer, seconds] of cases) {
    await t.step(title, () => assert.equal(lifetimeOf(answer, bounds).seconds, seconds));
  }
});

Deno.test("failureSeconds() doubles from two seconds to five minutes", () => {
  const lives = [1, 2, 3, 7, 8, 9, 2000].map(failureSeconds);
  assert.deepEqual(lives, [2, 4, 8, 128, 256, 300, 300]);
});

Deno.test("agedAnswer(), staleAnswer() and boundedAnswer() write the TTLs", () => {
  const answer = { ...positive(60, 20), authority: [soa(600, 30)], authenticated: true };
  assert.deepEqual(ttls(agedAnswer(answer, 19.9)), [41, 1, 581]);
  assert.deepEqual(ttls(agedAnswer(answer, 500)), [1, 1, 100]);
  assert.deepEqual(ttls(boundedAnswer(answer, { minSeconds: 25, maxSeconds: 50 })), [50, 25, 50]);
  const stale = staleAnswer(answer);
  assert.deepEqual(ttls(stale), [30, 30, 30]);
  assert.deepEqual([stale.extendedError?.code, stale.authenticated], [3, false]);
  assert.equal(staleAnswer({ ...answer, rcode: 3 }).extendedError?.code, 19);
});
