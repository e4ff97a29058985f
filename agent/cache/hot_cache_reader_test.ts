import assert from "node:assert/strict";
import fc from "fast-check";
import { BOOT_OFFSET_MS, lookupOf, makeHotCache } from "../../test/support/hot_cache_fixture.ts";
import type { TearingReport, TearingTask } from "../../test/support/hot_cache_worker.ts";
import { query } from "../../test/support/dns_messages.ts";
import { type Answer, localAnswer } from "../dns/answer.ts";
import { encodeName } from "../dns/name.ts";
import type { Query } from "../dns/query.ts";
import { DATA_WORDS, HEADER_WORDS, questionHash } from "./hot_cache_layout.ts";
import { HotCacheReader } from "./hot_cache_reader.ts";
import { addressRecord, cnameRecord, type ResourceRecord, soaRecord } from "../dns/record.ts";

const WWW = "www.example.org";
const EDNS = { udpPayloadSize: 1232 };
const a = (name: string, ttlSeconds: number, last = 1) =>
  addressRecord(name, Uint8Array.of(192, 0, 2, last), { ttlSeconds });
const aaaa = (name: string, ttlSeconds: number) =>
  addressRecord(name, Uint8Array.of(0x20, 1, 0xd, 0xb8, ...new Array(11).fill(0), 1), {
    ttlSeconds,
  });
const other = (name: string, type: number, rdata: Uint8Array, ttlSeconds = 60): ResourceRecord => ({
  name,
  type,
  class: 1,
  ttlSeconds,
  rdata,
});
const upstream = (parts: Partial<Answer>): Answer => ({
  ...localAnswer({ authoritative: false, ...parts }),
  authenticated: parts.authenticated ?? false,
});
const mx = (preference: number, host: string) =>
  other("example.org", 15, new Uint8Array([0, preference, ...encodeName(host)]), 300);
const cname = (name: string, target: string, ttlSeconds: number) =>
  cnameRecord(name, target, { ttlSeconds });
const soa = (ttlSeconds: number) => soaRecord("example.org", { ttlSeconds });

const ANSWERS: [string, Query, Answer][] = [
  ["A", query(WWW, "A"), upstream({ answers: [a(WWW, 60), a(WWW, 60, 2)] })],
  ["AAAA with EDNS", query(WWW, "AAAA", { edns: EDNS }), upstream({ answers: [aaaa(WWW, 30)] })],
  [
    "TTLs of a year and of nothing, and a third section",
    query(WWW, "A", { edns: EDNS }),
    upstream({
      answers: [a(WWW, 31_536_000)],
      authority: [other("example.org", 2, encodeName("ns.example.org"), 0)],
      additional: [a("ns.example.org", 31)],
    }),
  ],
  [
    "TXT",
    query(WWW, "TXT"),
    upstream({
      answers: [other(WWW, 16, Uint8Array.of(3, 97, 98, 99)), other(WWW, 16, Uint8Array.of(0))],
    }),
  ],
  [
    "a chain of CNAMEs",
    query(WWW, "A"),
    upstream({
      answers: [
        cname(WWW, "www.cdn.example", 300),
        cname("www.cdn.example", "edge.cdn.example", 20),
        a("edge.cdn.example", 40),
        a("edge.cdn.example", 40, 2),
      ],
    }),
  ],
  [
    "MX with names to compress",
    query("example.org", "MX"),
    upstream({
      answers: [mx(10, "mx1.example.org"), mx(20, "mx2.mx1.example.org"), mx(30, "mx.example")],
    }),
  ],
  [
    "NXDOMAIN",
    query("absent.example.org", "A", { edns: EDNS }),
    upstream({ rcode: 3, authority: [soa(120)] }),
  ],
  ["NODATA", query(WWW, "AAAA"), upstream({ authority: [soa(120)] })],
  ["letter case", query("WwW.eXaMpLe.oRg", "A"), upstream({ answers: [a(WWW, 60)] })],
  [
    "DO: signatures and AD",
    query(WWW, "A", { edns: { ...EDNS, dnssecOk: true } }),
    upstream({
      answers: [a(WWW, 60), other(WWW, 46, new Uint8Array(94).fill(7))],
      authenticated: true,
    }),
  ],
  [
    "CD and AD of the query, no RD",
    query(WWW, "A", { flags: 0x0030 }),
    upstream({ answers: [a(WWW, 60)], authenticated: true }),
  ],
  [
    "AD that nobody looks at",
    query(WWW, "A"),
    upstream({ answers: [a(WWW, 60)], authenticated: true }),
  ],
  [
    "the root",
    query(".", "NS"),
    upstream({ answers: [other("", 2, encodeName("ns.example"), 90)] }),
  ],
  [
    "a type without a name",
    query(WWW, "UNKNOWN_65280"),
    upstream({ answers: [other(WWW, 65280, new Uint8Array(33))] }),
  ],
];

Deno.test("HotCacheReader gives the octets of the slow path, for as long as that does", async (t) => {
  for (const [title, question, answer] of ANSWERS) {
    await t.step(title, () => {
      const { cache, keyOf, heat, slow, fast } = makeHotCache();
      // In the middle of a second: TTLs change by the answer's seconds, and not by the clock's.
      const STORED = 1000.7;
      heat(question, answer, STORED);
      const { expiresMs } = cache.get(keyOf(question), STORED * 1000)!.kept!;
      const life = Math.round(expiresMs / 1000 - STORED);
      for (const age of [0, 0.999, 1, 1.5, 2, 17, life - 1, life - 0.001]) {
        const seconds = STORED + Math.min(age, life - 0.001);
        const expected = slow(question, seconds);
        assert.ok(expected);
        assert.deepEqual(fast(question, seconds), expected, `after ${age} s`);
      }
      assert.equal(fast(question, STORED + life), undefined);
    });
  }
});

Deno.test("HotCacheReader gives the octets of the slow path, whatever the answer is", () => {
  const label = fc.constantFrom("a", "www", "mx1", "x-y", "\\032odd\\000", "z".repeat(63));
  const name = fc.array(label, { maxLength: 3 }).map((labels) => [...labels, "example"].join("."));
  const ttl = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.constant(0x7fffffff));
  const record = fc.record({ name, ttl, host: name, data: fc.uint8Array({ maxLength: 40 }) })
    .chain(({ name, ttl, host, data }) =>
      fc.constantFrom(
        a(name, ttl),
        aaaa(name, ttl),
        cname(name, host, ttl),
        other(name, 15, new Uint8Array([0, 5, ...encodeName(host)]), ttl),
        other(name, 65, data, ttl),
      )
    );
  const records = fc.array(record, { maxLength: 4 });
  let hot = 0;
  fc.assert(
    fc.property(
      fc.record({
        asked: name,
        answers: records,
        authority: records,
        additional: records,
        negative: fc.boolean(),
        dnssecOk: fc.boolean(),
        age: fc.double({ min: 0, max: 200, noNaN: true }),
      }),
      ({ asked, answers, authority, additional, negative, dnssecOk, age }) => {
        const question = {
          ...query("q.test", "A", { edns: { ...EDNS, dnssecOk } }),
          question: { name: asked, type: 65, class: 1 },
          questionWire: new Uint8Array([...encodeName(asked), 0, 65, 0, 1]),
        };
        const { heat, slow, fast } = makeHotCache();
        heat(
          question,
          upstream({
            rcode: negative ? 3 : 0,
            answers,
            authority: negative ? [soa(50), ...authority] : authority,
            additional,
          }),
        );
        const seconds = Math.floor(age * 1000) / 1000;
        const given = fast(question, seconds);
        if (given === undefined) return;
        hot++;
        assert.deepEqual(given, slow(question, seconds));
      },
    ),
    { numRuns: 500 },
  );
  assert.ok(hot > 100, `only ${hot} answers were hot`);
});

Deno.test("HotCacheReader.find() tells questions apart", () => {
  const { heat, find, reader } = makeHotCache({ slots: 4 });
  const same = query("WWW.example.ORG", "A");
  heat(query(WWW, "A"), upstream({ answers: [a(WWW, 60)] }));
  assert.equal(find(same, 0), true);
  const { hash, type, flags } = lookupOf(same);
  for (
    const different of [
      query(WWW, "AAAA"),
      query(WWW, "A", { edns: { ...EDNS, dnssecOk: true } }),
      query(WWW, "A", { flags: 0x0110 }),
      query("wwv.example.org", "A"),
      query("example.org", "A"),
      query(`${WWW}.example`, "A"),
    ]
  ) {
    assert.equal(find(different, 0), false);
    // Also where their hashes are the same.
    const lookup = lookupOf(different);
    const collision = questionHash(questionHash(hash, type, flags), lookup.type, lookup.flags);
    const { name } = lookup;
    assert.equal(reader.find(name, name.length, lookup.type, lookup.flags, collision), false);
  }
});

Deno.test("HotCacheReader.copyBody() refuses what was changed since it was found", () => {
  const question = query(WWW, "A");
  const { hot, keyOf, heat, find, reader } = makeHotCache();
  const out = new DataView(new ArrayBuffer(512));
  const changes: [string, () => void][] = [
    ["nothing", () => {}],
    ["forgotten", () => hot.forget(keyOf(question))],
    ["replaced", () => heat(question, upstream({ answers: [a(WWW, 60, 2)] }))],
    ["cleared", () => hot.clear()],
  ];
  for (const [title, change] of changes) {
    heat(question, upstream({ answers: [a(WWW, 60)] }));
    assert.equal(find(question, 0), true);
    change();
    assert.equal(reader.copyBody(out, 0), title === "nothing", title);
  }
});

Deno.test("HotCacheReader says once that an entry is due, and then the cache says it too", () => {
  const question = query(WWW, "A");
  const { cache, hot, keyOf, heat, find, reader } = makeHotCache();
  const others = new HotCacheReader(hot.memory);
  const { name, type, flags, hash } = lookupOf(question);
  heat(question, upstream({ answers: [a(WWW, 100)] }));
  const isDue = (seconds: number) => find(question, seconds) && reader.dueForRefresh;
  assert.deepEqual([0, 50, 89.999].map(isDue), [false, false, false]);
  assert.equal(isDue(90.01), true);
  assert.equal(cache.get(keyOf(question), 90_010)!.dueForRefresh, true);
  assert.deepEqual([isDue(91), isDue(99)], [false, false]);
  others.nowMs = 95_000 + BOOT_OFFSET_MS;
  others.find(name, name.length, type, flags, hash);
  assert.equal(others.dueForRefresh, false);
  // The next life is another one.
  heat(question, upstream({ answers: [a(WWW, 100)] }), 95);
  assert.deepEqual([isDue(96), isDue(190), isDue(191)], [false, true, false]);
});

Deno.test("HotCacheReader never says that an entry is due where nothing is refreshed", () => {
  const question = query(WWW, "A");
  const { heat, find, reader } = makeHotCache({ prefetch: false });
  heat(question, upstream({ answers: [a(WWW, 100)] }));
  assert.deepEqual([find(question, 99.999), reader.dueForRefresh], [true, false]);
});

Deno.test("HotCacheReader takes a time a little before the answer's for its own", () => {
  const question = query(WWW, "A");
  const { heat, slow, fast, find } = makeHotCache();
  heat(question, upstream({ answers: [a(WWW, 100)] }), 50);
  assert.deepEqual(fast(question, 49.5), slow(question, 50));
  assert.equal(find(question, 48), false);
});

Deno.test("HotCacheReader stays within its bounds, whatever lies in the memory", () => {
  const question = query(WWW, "A");
  const { name, type, flags, hash } = lookupOf(question);
  const int = fc.oneof(
    fc.integer({ min: -0x80000000, max: 0x7fffffff }),
    fc.integer({ min: 0, max: 600 }),
  );
  const garbage = fc.array(fc.tuple(fc.integer({ min: 0, max: 127 }), int), { maxLength: 24 });
  const AT = 40;
  let copied = 0;
  fc.assert(
    fc.property(garbage, int, (changes, fill) => {
      const { hot, heat, reader } = makeHotCache({ slots: 4 });
      heat(question, upstream({ answers: [a(WWW, 60), a(WWW, 60, 2)] }));
      const words = new Int32Array(hot.memory);
      const slots = [0, 1, 2, 3].map((slot) => HEADER_WORDS + 4 + 128 * slot);
      for (const slot of slots) {
        for (const [word, value] of changes) words[slot + word] = value;
        // An empty slot is left at once: as good as full, but for what the garbage says.
        if (words[slot + 3] === 0) words.fill(fill, slot + 8, slot + 126);
      }
      words.fill(questionHash(hash, type, flags), HEADER_WORDS, HEADER_WORDS + 4);
      reader.nowMs = BOOT_OFFSET_MS;
      if (!reader.find(name, name.length, type, flags, hash)) return;
      assert.ok(reader.bodyOctets <= 4 * DATA_WORDS);
      const out = new Uint8Array(AT + 4 * DATA_WORDS + 40).fill(0xee);
      const end = AT + reader.bodyOctets;
      if (reader.copyBody(new DataView(out.buffer), AT)) copied++;
      assert.ok(out.subarray(0, AT).every((octet) => octet === 0xee));
      assert.ok(out.subarray(end).every((octet) => octet === 0xee));
      assert.equal(reader.copyBody(new DataView(out.buffer, 0, end - 1), AT), false);
    }),
    { numRuns: 3_000 },
  );
  assert.ok(copied > 100, `only ${copied} were copied`);
});

Deno.test("new HotCacheReader() throws at what is no hot cache", () => {
  const { hot } = makeHotCache();
  for (const octets of [0, 64, 4096, hot.memory.byteLength]) {
    assert.throws(() => new HotCacheReader(new SharedArrayBuffer(octets)), RangeError);
  }
});

Deno.test("HotCacheReader never vouches for a torn body, while it is written back to back", async () => {
  const READS = 100_000;
  const WRITES = 5_000;
  const RDATA = 200;
  const question = query(WWW, "TXT");
  const { hot, cache, keyOf } = makeHotCache({ slots: 4 });
  const versions = [0x11, 0x22, 0x33].map((octet) => {
    const record = other(WWW, 16, new Uint8Array(RDATA).fill(octet));
    cache.put(keyOf(question), upstream({ answers: [record] }), 0);
    return cache.get(keyOf(question), 0)!.kept!;
  });
  const url = new URL("../../test/support/hot_cache_worker.ts", import.meta.url);
  const worker = new Worker(url, { type: "module" });
  const report = new Promise<TearingReport>((resolve, reject) => {
    worker.onmessage = ({ data }) => resolve(data);
    worker.onerror = reject;
  });
  const progress = new SharedArrayBuffer(4);
  worker.postMessage(
    {
      memory: hot.memory,
      lookup: lookupOf(question),
      nowMs: BOOT_OFFSET_MS,
      rdataOctets: RDATA,
      progress,
    } satisfies TearingTask,
  );
  const accepting = new Int32Array(progress);
  let writes = 0;
  // Bounded, should the worker not start.
  while (writes < WRITES || Atomics.load(accepting, 0) < READS && writes < 100 * WRITES) {
    hot.forget(versions[0].key);
    hot.promote(versions[writes++ % versions.length], 0);
    // Lets the worker start.
    if (writes % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 0));
  }
  Atomics.store(accepting, 0, -0x80000000);
  const { accepted, torn, refused } = await report;
  worker.terminate();
  assert.equal(torn, 0, `of ${accepted} bodies`);
  assert.ok(refused > 0, `no race at all in ${writes} writes`);
});
