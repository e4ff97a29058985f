import assert from "node:assert/strict";
import { AgentFixture } from "../test/support/agent_fixture.ts";
import { queryMessage } from "../test/support/dns_messages.ts";
import { poisonBuffers, SECRET_OCTET } from "../test/support/poisoned_buffers.ts";
import { RecordType } from "./dns/codes.ts";
import { decodeQuery, type Query } from "./dns/query.ts";
import { systemNetwork, type UdpSocket } from "./system/network.ts";
import { formatSocketAddress, type SocketAddress } from "./system/socket_address.ts";
import { LOOP_PROBE_DOMAIN } from "./upstream/loop_probe.ts";

/** The longest message of DNS on TCP (RFC 1035 section 4.2.2). */
const LONGEST_OCTETS = 65_535;
const MANIFEST =
  "kind: Service\nmetadata: { name: a, namespace: ns1 }\nspec: { clusterIP: 10.0.0.1 }\n";

/** What a nameserver says. */
interface Said {
  /** Whether TC is set. */
  truncated?: boolean;
  /** Whether OPT is in it. */
  edns?: boolean;
  /** RDATA of TXT; NODATA unless given. */
  rdata?: Uint8Array;
  /** TTL of the record, 0 to 255 seconds. */
  ttlSeconds?: number;
}

/** A response octet by octet as the agent writes it too, so that both can be held against each other. */
function response({ id, questionWire }: Query, said: Said): Uint8Array {
  const { truncated, edns, rdata, ttlSeconds = 0 } = said;
  const flags = [truncated ? 0x83 : 0x81, 0x80];
  const counts = [0, 1, 0, rdata ? 1 : 0, 0, 0, 0, edns ? 1 : 0];
  const head = [id >> 8, id & 0xff, ...flags, ...counts, ...questionWire];
  if (rdata !== undefined) {
    head.push(0xc0, 12, 0, RecordType.TXT, 0, 1, 0, 0, 0, ttlSeconds);
    head.push(rdata.length >> 8, rdata.length & 0xff);
  }
  return Uint8Array.from([
    ...head,
    ...rdata ?? [],
    ...edns ? [0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0] : [],
  ]);
}

/** RDATA of TXT that makes a {@link response} so long, and in which no octet can be displaced unnoticed. */
function textFor(query: Query, { octets, edns }: { octets: number; edns: boolean }): Uint8Array {
  const rest = response(query, { edns, rdata: new Uint8Array() }).length;
  return Uint8Array.from(
    { length: octets - rest },
    (_, i) => i % 256 === 0 ? Math.min(255, octets - rest - i - 1) : i * 31 + (i >> 8),
  );
}

/** A nameserver on loopback, by UDP and TCP. */
interface TestServer extends Disposable {
  address: SocketAddress;
  /** What it was asked by both, the agent's own probes left out. */
  queries: { octets: Uint8Array; transport: "udp" | "tcp" }[];
}

async function startServer(
  answer: (query: Query, transport: "udp" | "tcp") => Said,
): Promise<TestServer> {
  const queries: TestServer["queries"] = [];
  const answerTo = (octets: Uint8Array, transport: "udp" | "tcp"): Uint8Array => {
    const query = decoded(octets);
    if (query.question.name.endsWith(LOOP_PROBE_DOMAIN)) return response(query, {});
    queries.push({ octets, transport });
    return response(query, answer(query, transport));
  };
  const tcp = await systemNetwork.listenTcp({ address: "127.0.0.1", port: 0 }, (stream) => ({
    onMessage: (octets) => stream.send(answerTo(octets, "tcp")),
    onClose() {},
  }));
  const udp: UdpSocket = await systemNetwork.bindUdp(tcp.local, {
    onMessage: (octets, from) => udp.send(answerTo(octets, "udp"), from),
    onError() {},
  });
  const close = () => {
    tcp.close();
    udp.close();
  };
  return { address: tcp.local, queries, [Symbol.dispose]: close };
}

function decoded(message: Uint8Array): Query {
  const decoded = decodeQuery(message);
  assert.equal(decoded.kind, "query");
  return (decoded as Extract<typeof decoded, { kind: "query" }>).query;
}

/** The octets of both are the same; a diff of 65,535 would take a minute to print. */
function assertSameOctets(actual: Uint8Array, expected: Uint8Array, title: string): void {
  assert.equal(actual.length, expected.length, title);
  assert.equal(actual.findIndex((octet, i) => octet !== expected[i]), -1, `${title}: octet`);
}

async function makeFixture(server: TestServer): Promise<AgentFixture> {
  const upstreams = { "dns.upstreams": [formatSocketAddress(server.address)] };
  const fixture = await AgentFixture.make(upstreams);
  fixture.config["names.files"] = [await fixture.directory.write("mesh.yaml", MANIFEST)];
  return fixture;
}

/** node:net keeps sockets for a moment. */
function test(title: string, body: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: `Agent ${title}`, sanitizeOps: false, sanitizeResources: false, fn: body });
}

test("carries messages of 65,535 octets, and caches them as any", async (t) => {
  const cases: [title: string, said: { edns: boolean; ttlSeconds: number }, timesAsked: number][] =
    [
      ["without EDNS", { edns: false, ttlSeconds: 250 }, 1],
      ["with EDNS", { edns: true, ttlSeconds: 250 }, 1],
      ["not to be cached", { edns: true, ttlSeconds: 0 }, 4],
    ];
  for (const [title, said, timesAsked] of cases) {
    await t.step(title, async () => {
      const { edns, ttlSeconds } = said;
      const long = (query: Query) => ({
        ...said,
        rdata: textFor(query, { octets: LONGEST_OCTETS, edns }),
      });
      using server = await startServer((query, transport) =>
        transport === "udp" ? { truncated: true, edns } : long(query)
      );
      await using fixture = await makeFixture(server);
      await fixture.start();
      const options = { id: 0x1234, ...edns && { edns: { udpPayloadSize: 4096 } } };
      const message = queryMessage("long.example.org", "TXT", options);
      const query = decoded(message);
      const whole = response(query, long(query));
      assert.equal(whole.length, LONGEST_OCTETS);
      const ttlAt = 12 + query.questionWire.length + 9;
      for (const time of ["first", "second"]) {
        const byTcp = await fixture.exchange(message, { transport: "tcp" });
        assert.ok(byTcp[ttlAt] >= ttlSeconds - 5, "it counts down, but not so fast");
        byTcp[ttlAt] = ttlSeconds;
        assertSameOctets(byTcp, whole, `${time} by TCP`);
        const byUdp = await fixture.exchange(message);
        assertSameOctets(byUdp, response(query, { truncated: true, edns }), `${time} by UDP`);
      }
      const asked = ["udp", "tcp"].map((transport) =>
        server.queries.filter((query) => query.transport === transport).length
      );
      assert.deepEqual(asked, [timesAsked, timesAsked]);
    });
  }
});

test("puts no octet of one client's messages into another's", async () => {
  using _ = poisonBuffers();
  const secret = new Uint8Array(63).fill(SECRET_OCTET);
  using server = await startServer(({ question, questionWire }, transport) => {
    // Whoever asks for a secret gets a long one.
    if (!questionWire.includes(SECRET_OCTET)) return {};
    if (transport === "udp" && question.type === RecordType.TXT) return { truncated: true };
    return { rdata: new Uint8Array(60_000).fill(SECRET_OCTET), ttlSeconds: 250 };
  });
  await using fixture = await makeFixture(server);
  await fixture.start();
  const edns = { udpPayloadSize: 1232 };
  const small: [string, Uint8Array][] = [
    ["a mesh name", queryMessage("a.ns1.svc.cluster.local", "A")],
    ["a mesh name, with EDNS", queryMessage("a.ns1.svc.cluster.local", "A", { edns })],
    ["no name of the mesh", queryMessage("b.ns1.svc.cluster.local", "A")],
    ["a name elsewhere", queryMessage("www.example.org", "TXT")],
    ["a name elsewhere, with EDNS", queryMessage("www.example.org", "MX", { edns })],
    ["another EDNS", queryMessage("www.example.org", "A", { edns: { ...edns, version: 1 } })],
    ["another opcode", queryMessage("www.example.org", "A", { flags: 0x2800 })],
    ["no recursion", queryMessage("www.example.org", "AAAA", { flags: 0 })],
    ["a zone transfer", queryMessage("www.example.org", "AXFR")],
    ["a question that is cut", queryMessage("www.example.org", "A").subarray(0, 20)],
  ];
  const transports = ["udp", "tcp"] as const;
  const answers = async () => {
    const all = new Map<string, Uint8Array>();
    for (const transport of transports) {
      for (const [title, message] of small) {
        all.set(`${title} by ${transport}`, await fixture.exchange(message, { transport }));
      }
    }
    return all;
  };
  const before = await answers();
  const askedBefore = server.queries.splice(0).map(({ octets }) => octets.length);
  for (let i = 0; i < 20; i++) {
    const message = queryMessage(`${"x".repeat(63)}.n${i}.example.org`, "TXT");
    message.set(secret, 13);
    for (const transport of transports) {
      const answer = await fixture.exchange(message, { transport });
      assert.ok(answer.includes(SECRET_OCTET));
      assert.equal(answer.length > 60_000, transport === "tcp");
    }
  }
  server.queries.length = 0;
  for (const [title, answer] of await answers()) {
    assert.equal(answer.includes(SECRET_OCTET), false, title);
    assertSameOctets(answer, before.get(title)!, title);
  }
  // Id and cookie are random, and may hold the octet once in a while.
  const run = String.fromCharCode(...secret.subarray(0, 4));
  for (const { octets } of server.queries) {
    assert.equal(String.fromCharCode(...octets).includes(run), false);
  }
  assert.deepEqual(server.queries.map(({ octets }) => octets.length), askedBefore);
});
