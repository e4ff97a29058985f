import assert from "node:assert/strict";
import { answerLines } from "../../test/support/dns_messages.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { externalEntry, serviceEntry } from "../../test/support/host_entries.ts";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { AnswerCache } from "../cache/answer_cache.ts";
import { type Answer, localAnswer } from "../dns/answer.ts";
import { formatRcode, parseType } from "../dns/codes.ts";
import { addressRecord, cnameRecord, type ResourceRecord, soaRecord } from "../dns/record.ts";
import type { HostEntry } from "../names/host_entry.ts";
import { meshSearchDomains } from "../names/mesh_lookup.ts";
import type { UpstreamOutcome } from "../upstream/tries.ts";
import { Resolver, type ResolverRequest } from "./resolver.ts";

const TTL = { ttlSeconds: 60 };
const MESH = [
  serviceEntry("a.ns1", ["10.0.0.1"]),
  externalEntry("api.example.org", ["192.0.2.50"]),
];
const address = (name: string, last: number) =>
  addressRecord(name, Uint8Array.of(203, 0, 113, last), TTL);
const UPSTREAM: Record<string, Answer> = {
  "www.example.org": localAnswer({ answers: [address("www.example.org", 1)] }),
  "alias.example.org": localAnswer({
    answers: [
      cnameRecord("alias.example.org", "api.example.org", TTL),
      address("api.example.org", 9),
    ],
  }),
  "into.example.org": localAnswer({
    answers: [cnameRecord("into.example.org", "api.example.org", TTL)],
  }),
  "leak.example.org": localAnswer({
    answers: [cnameRecord("leak.example.org", "b.ns1.svc.cluster.local", TTL)],
  }),
};

/** Changes what upstream servers say about a name, until it is disposed of. */
function upstreamSays(name: string, answers: ResourceRecord[]): Disposable {
  const before = UPSTREAM[name];
  UPSTREAM[name] = localAnswer({ answers });
  return { [Symbol.dispose]: () => void (UPSTREAM[name] = before) };
}

function make(options: { entries?: HostEntry[]; complete?: boolean } = {}) {
  const clock = new ManualClock();
  const tableOf = (entries: HostEntry[]) => buildTable(entries).table;
  const complete = options.complete !== false;
  let table = tableOf(complete ? options.entries ?? MESH : []);
  const push = (entries: HostEntry[]) => table = tableOf(entries);
  const view = {
    clusterDomain: "cluster.local",
    namespace: "ns1",
    searchDomains: [
      ...meshSearchDomains({ namespace: "ns1", clusterDomain: "cluster.local" }),
      "corp.example",
    ],
    serveAutoAllocated: true,
  };
  const state = () => ({ table, complete, view });
  const asked: string[] = [];
  let failing = false;
  const resolver = new Resolver({
    mesh: state(),
    cache: new AnswerCache(),
    upstream: {
      groupOf: () => "*",
      async exchange({ question }): Promise<UpstreamOutcome> {
        asked.push(question.name);
        await new Promise<void>((resolve) => clock.schedule(10, resolve));
        if (failing) {
          return { kind: "failure", reason: "no upstream server answered", timedOut: true };
        }
        const answer = UPSTREAM[question.name] ??
          localAnswer({ rcode: 3, authority: [soaRecord("", { ttlSeconds: 30 })] });
        return {
          kind: "answer",
          answer: { ...answer, authoritative: false },
          server: "192.0.2.53:53",
          roundTripMs: 10,
        };
      },
    },
    clock,
    random: new FixedRandom(),
  });
  const request = (name: string, type: string): ResolverRequest => ({
    question: { name, type: parseType(type)!, class: 1 },
    dnssecOk: false,
    checkingDisabled: false,
  });
  const ask = async (name: string, type = "A") => {
    const here = resolver.answerHere(request(name, type));
    const pending = here ?? resolver.forward(request(name, type));
    await clock.advance(10);
    const { answer, source, why } = await pending;
    return { lines: [source, formatRcode(answer.rcode), ...answerLines(answer)], why, answer };
  };
  return {
    resolver,
    clock,
    asked,
    request,
    ask,
    push: (entries: HostEntry[]) => {
      push(entries);
      resolver.replaceMesh(state());
    },
    fail: (value: boolean) => failing = value,
  };
}

Deno.test("Resolver asks, in this order: special names, mesh, cluster domain, cache, upstream", async (t) => {
  const cases: [string, string, string[], boolean][] = [
    ["localhost", "A", ["local", "NOERROR", "answer localhost 86400 A 127.0.0.1"], false],
    ["a.ns1", "A", ["mesh", "NOERROR", "answer a.ns1 30 A 10.0.0.1"], false],
    ["b.ns1.svc.cluster.local", "A", [
      "local",
      "NXDOMAIN",
      "authority cluster.local 5 SOA ns.cluster.local",
    ], false],
    [
      "www.example.org",
      "A",
      ["upstream", "NOERROR", "answer www.example.org 60 A 203.0.113.1"],
      true,
    ],
    ["absent.example.org", "A", ["upstream", "NXDOMAIN", "authority . 30 SOA ns"], true],
  ];
  for (const [name, type, lines, upstream] of cases) {
    await t.step(`${name} ${type}`, async () => {
      const { ask, asked } = make();
      const result = await ask(name, type);
      assert.deepEqual(result.lines, lines);
      assert.equal(asked.length, upstream ? 1 : 0);
      assert.ok(result.why.length > 0);
    });
  }
});

Deno.test("Resolver answers from the cache, with less TTL", async () => {
  const { ask, asked, clock } = make();
  await ask("www.example.org");
  await clock.advance(20_000);
  assert.deepEqual((await ask("www.example.org")).lines, [
    "cache",
    "NOERROR",
    "answer www.example.org 40 A 203.0.113.1",
  ]);
  assert.equal(asked.length, 1);
  await clock.advance(40_000);
  await ask("www.example.org");
  assert.equal(asked.length, 2);
});

Deno.test("Resolver asks identical questions once", async () => {
  const { resolver, asked, request, clock } = make();
  const both = [1, 2].map(() => resolver.forward(request("www.example.org", "A")));
  const other = resolver.forward({ ...request("www.example.org", "A"), dnssecOk: true });
  await clock.advance(10);
  const [first, second] = await Promise.all(both);
  assert.deepEqual(first, second);
  await other;
  assert.deepEqual(asked, ["www.example.org", "www.example.org"]);
});

Deno.test("Resolver puts a push in force at once, over what is cached", async () => {
  const { ask, push } = make();
  await ask("www.example.org");
  push([...MESH, externalEntry("www.example.org", ["192.0.2.60"])]);
  assert.deepEqual((await ask("www.example.org")).lines, [
    "mesh",
    "NOERROR",
    "answer www.example.org 30 A 192.0.2.60",
  ]);
  push(MESH);
  assert.equal((await ask("www.example.org")).lines[0], "cache");
});

Deno.test("Resolver puts a push in force over what is in flight, and over what is stale", async () => {
  const { resolver, request, ask, push, clock, fail } = make();
  const pending = resolver.forward(request("www.example.org", "A"));
  const withName = [...MESH, externalEntry("www.example.org", ["192.0.2.60"])];
  push(withName);
  await clock.advance(10);
  assert.equal((await pending).source, "mesh");
  push(MESH);
  fail(true);
  await clock.advance(60_000);
  assert.equal((await ask("www.example.org")).lines[0], "stale");
  push(withName);
  assert.equal((await ask("www.example.org")).lines[0], "mesh");
});

Deno.test("Resolver says that a stale chain is stale, also where it leads into the mesh", async () => {
  const { ask, clock, fail } = make();
  await ask("alias.example.org");
  fail(true);
  await clock.advance(60_000);
  const { lines, answer } = await ask("alias.example.org");
  assert.deepEqual(lines, [
    "stale",
    "NOERROR",
    "answer alias.example.org 30 CNAME api.example.org",
    "answer api.example.org 30 A 192.0.2.50",
  ]);
  assert.equal(answer.extendedError?.code, 3);
});

Deno.test("Resolver asks the mesh for the target of an upstream server's CNAME", async (t) => {
  await t.step("a host of the mesh", async () => {
    const { ask, push } = make();
    const lines = (source: string, last: string) => [
      source,
      "NOERROR",
      "answer alias.example.org 60 CNAME api.example.org",
      last,
    ];
    assert.deepEqual(
      (await ask("alias.example.org")).lines,
      lines("upstream", "answer api.example.org 30 A 192.0.2.50"),
    );
    push([externalEntry("api.example.org", ["192.0.2.51"])]);
    assert.deepEqual(
      (await ask("alias.example.org")).lines,
      lines("cache", "answer api.example.org 30 A 192.0.2.51"),
    );
  });
  await t.step("a name of the cluster domain that does not exist", async () => {
    const { ask } = make();
    assert.deepEqual((await ask("leak.example.org")).lines.slice(0, 2), ["upstream", "NXDOMAIN"]);
  });
});

Deno.test("Resolver names an address of a mesh host where nobody else does", async () => {
  const { ask } = make();
  assert.deepEqual((await ask("50.2.0.192.in-addr.arpa", "PTR")).lines, [
    "mesh",
    "NOERROR",
    "answer 50.2.0.192.in-addr.arpa 30 PTR api.example.org",
  ]);
});

Deno.test("Resolver says SERVFAIL with the reason when upstream fails, and remembers it for seconds", async () => {
  const { ask, asked, clock, fail } = make();
  fail(true);
  const first = await ask("www.example.org");
  assert.deepEqual(first.lines, ["failure", "SERVFAIL"]);
  assert.deepEqual(first.answer.extendedError, { code: 22, text: "no upstream server answered" });
  assert.equal((await ask("www.example.org")).lines[1], "SERVFAIL");
  assert.equal(asked.length, 1);
  assert.equal((await ask("a.ns1")).lines[0], "mesh");
  fail(false);
  await clock.advance(2_000);
  assert.equal((await ask("www.example.org")).lines[1], "NOERROR");
});

Deno.test("Resolver asks anew for a chain that ended in the mesh, once its host is gone", async () => {
  const { ask, push, asked } = make();
  assert.deepEqual((await ask("into.example.org")).lines.slice(0, 2), ["upstream", "NOERROR"]);
  assert.equal((await ask("into.example.org")).lines[0], "cache");
  assert.equal(asked.length, 1);
  push([]);
  const outside = cnameRecord("into.example.org", "api.example.org", TTL);
  using _whole = upstreamSays("into.example.org", [outside, address("api.example.org", 7)]);
  const { lines } = await ask("into.example.org");
  assert.equal(lines[0], "upstream");
  assert.match(lines.at(-1)!, /\.7$/);
  assert.equal(asked.length, 2);
});

Deno.test("Resolver.isAnsweredHere() is true of what is never asked upstream", () => {
  const { resolver } = make();
  const cases: [string, string, boolean][] = [
    ["a.ns1.svc.cluster.local", "A", true],
    ["nobody.ns1.svc.cluster.local", "A", true],
    ["localhost", "A", true],
    ["alias.example.org", "A", false],
    // A full name: no search domain is cut off it.
    ["a.ns1.svc.cluster.local.corp.example", "A", false],
  ];
  for (const [name, type, expected] of cases) {
    const question = { name, type: parseType(type)!, class: 1 };
    assert.equal(resolver.isAnsweredHere(question), expected, name);
  }
});

Deno.test("Resolver says SERVFAIL only before the first table ever", async () => {
  const { ask, asked, push } = make({ complete: false });
  assert.deepEqual((await ask("a.ns1.svc.cluster.local")).lines, ["failure", "SERVFAIL"]);
  assert.equal((await ask("www.example.org")).lines[0], "upstream");
  push(MESH);
  assert.equal((await ask("a.ns1.svc.cluster.local")).lines[0], "mesh");
  assert.deepEqual(asked, ["www.example.org"]);
  await settle();
});
