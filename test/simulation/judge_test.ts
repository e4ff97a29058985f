import assert from "node:assert/strict";
// @ts-types="@types/dns-packet"
import dnsPacket from "dns-packet";
import { SeededRandom } from "../support/seeded_random.ts";
import type { Answered, Ask } from "./client_world.ts";
import { Judge, type Limits, PRESENT_LIMITS } from "./judge.ts";
import { meshAddress, MeshHistory } from "./mesh_history.ts";
import { addressOf, packVersion, POISON, PUBLIC_NAMES, SERVICES } from "./universe.ts";
import type { Said, UpstreamServer, UpstreamWorld } from "./upstream_world.ts";

const NAME = PUBLIC_NAMES[2];
const HOST = SERVICES[1];
const VERSION = { index: 2, version: 7 };
const AT_MS = 1_000_000;

/** A world in which version 7 of the name was said at {@link AT_MS} for 60 s, and a table is in force. */
function judge({ limits = {}, failing = false }: Case): Judge {
  const mesh = new MeshHistory(new SeededRandom(1));
  mesh.replace(new Map([[HOST, 1]]), 0);
  mesh.replace(new Map([[HOST, 2]]), AT_MS);
  const said: Said = {
    arrivalMs: AT_MS,
    rcode: "NOERROR",
    packed: packVersion(VERSION),
    positive: true,
    ttl: 60,
    lifetime: 60,
  };
  const servers = ["192.0.2.53", "192.0.2.54"].map((address) => ({
    address: { address, port: 53 },
    mood: { kind: "good" },
    roundTripMs: 1,
    faultMs: AT_MS - 5_000,
  })) as UpstreamServer[];
  servers[1].faultMs = AT_MS - 400_000;
  if (failing) { for (const server of servers) server.faultMs = AT_MS + 60_000; }
  const upstream = {
    said: new Map([[`${NAME} A`, [said]]]),
    faults: new Map([[`${NAME} TXT`, AT_MS - 5_000], [`${NAME} MX`, AT_MS - 400_000]]
      .concat(failing ? [[`${NAME} A`, AT_MS + 60_000]] : []) as [string, number][]),
    servers,
  } as unknown as UpstreamWorld;
  return new Judge({ mesh, upstream, limits: { ...PRESENT_LIMITS, ...limits } });
}

interface Case {
  name?: string;
  type?: string;
  host?: string;
  askedMs?: number;
  nowMs?: number;
  flags?: number;
  question?: string;
  records?: [name: string, ttl: number, data: string][];
  limits?: Partial<Limits>;
  /** Whether every server met a fault a moment ago, at this question too. */
  failing?: boolean;
}

function verdict(given: Case): string | undefined {
  const { name = NAME, type = "A", nowMs = AT_MS + 10_000 } = given;
  const ask: Ask = {
    name,
    type,
    dnssecOk: false,
    transport: "UDP",
    host: given.host,
    form: given.host === undefined ? "public" : "full",
    askedMs: given.askedMs ?? nowMs - 5,
    id: 1,
    waiting: 1,
  };
  const message = dnsPacket.encode({
    type: "response",
    id: 1,
    flags: 0x0180 | (given.flags ?? 0),
    questions: [{ name: given.question ?? name, type: type as "A" }],
    answers: (given.records ?? []).map(([name, ttl, data]) => ({ type: "A", name, ttl, data })),
  });
  const packet = dnsPacket.decode(message) as Answered["packet"];
  return judge(given).judge(ask, { packet, octets: message.length }, nowMs);
}

const PUBLIC = addressOf(VERSION, "upstream");
const AA = 0x0400;
const mesh = (version: number, nowMs: number): Case => ({
  name: HOST,
  host: HOST,
  nowMs,
  flags: AA,
  records: [[HOST, 30, meshAddress(HOST, version)]],
});

/** The answer ten seconds after its end, where it may be served for twenty. */
const stale = (ttl: number, more: Case): Case => ({
  nowMs: AT_MS + 70_000,
  records: [[NAME, ttl, PUBLIC]],
  limits: { staleSeconds: 20 },
  ...more,
});

Deno.test("Judge.judge() finds what no answer may say, and nothing else", async (t) => {
  const cases: [string, Case, RegExp | undefined][] = [
    ["what was said", { records: [[NAME, 50, PUBLIC]] }, undefined],
    ["a TTL of a second more", { records: [[NAME, 52, PUBLIC]] }, /TTL 52 is 1\.000 s too long/],
    ["another version", { records: [[NAME, 50, "198.18.32.8"]] }, /nobody said NOERROR version/],
    ["the end of its life", { nowMs: AT_MS + 60_000, records: [[NAME, 1, PUBLIC]] }, undefined],
    [
      "past its life",
      { nowMs: AT_MS + 60_100, records: [[NAME, 1, PUBLIC]] },
      /it is stale, and no server failed/,
    ],
    ["stale, while servers fail", stale(30, { failing: true }), undefined],
    ["stale, while servers are well", stale(30, {}), /it is stale, and no server failed/],
    ["stale, with too long a TTL", stale(31, { failing: true }), /TTL 31 is 1\.000 s too long/],
    ["stale for too long", { ...stale(30, { failing: true }), nowMs: AT_MS + 90_000 }, /nobody/],
    ["before it was said", { nowMs: AT_MS - 1, records: [[NAME, 60, PUBLIC]] }, /nobody said/],
    ["another owner", { records: [["x.example.org", 50, PUBLIC]] }, /its record is x\.example/],
    ["more records", { records: [[NAME, 50, PUBLIC], [NAME, 50, "198.18.0.1"]] }, /more records/],
    ["nothing at all", {}, /neither records nor a SOA/],
    ["a forger's", { records: [[NAME, 50, POISON]] }, /what a forger said/],
    ["another question", { question: "x.example.org" }, /it answers "x\.example\.org A"/],
    ["too late", { askedMs: AT_MS + 4_999, records: [[NAME, 50, PUBLIC]] }, /it took 5001 ms/],
    ["a truncated one", { flags: 0x0200, records: [[NAME, 50, PUBLIC]] }, /truncated/],
    ["AA without a host", { flags: AA, records: [[NAME, 50, PUBLIC]] }, /it has AA/],
    ["a failure without a fault", { flags: 2 }, /no server failed/],
    ["a failure with an old fault", { flags: 2, type: "MX" }, /no server failed/],
    ["a failure beside a good server", { flags: 2, type: "TXT" }, /192\.0\.2\.54 would have/],
    ["the mesh", mesh(2, AT_MS + 5), undefined],
    ["the table of before", mesh(1, AT_MS + 6), /it says 10\.0\.16\.1, and the table 10\.0\.16\.2/],
    ["the table of before, at the change", mesh(1, AT_MS + 4), undefined],
    ["the mesh without AA", { ...mesh(2, AT_MS + 6), flags: 0 }, /it is no answer of the mesh/],
    [
      "a mesh answer that lasts",
      { ...mesh(2, AT_MS + 6), records: [[HOST, 31, meshAddress(HOST, 2)]] },
      /its TTL is 31/,
    ],
    [
      "an unknown service",
      { name: SERVICES[2], host: SERVICES[2], flags: AA | 2 },
      /its rcode is SERVFAIL and not NXDOMAIN/,
    ],
  ];
  for (const [title, given, expected] of cases) {
    await t.step(title, () => {
      const found = verdict(given);
      if (expected === undefined) assert.equal(found, undefined);
      else assert.match(found ?? "nothing wrong", expected);
    });
  }
});
