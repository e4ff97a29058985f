import assert from "node:assert/strict";
import { readMessage } from "../../test/support/dns_messages.ts";
import { FakeNetwork, type FakeServer } from "../../test/support/fake_network.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { answering, refusing, silent } from "../../test/support/upstream_fixture.ts";
import { formatNameserver, parseNameserver } from "../system/nameserver.ts";
import { LOOP_PROBE_DOMAIN, LOOP_PROBE_GRACE_MS, LOOP_PROBE_MS, LoopProbe } from "./loop_probe.ts";

/** Servers, each of which may hand what it is asked to the probe's own listener. */
function fixture(
  servers: Record<string, (asksUs: (message: Uint8Array) => boolean) => FakeServer>,
) {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const probe = new LoopProbe({ network, clock, random: new FixedRandom() });
  const asked: string[] = [];
  const asksUs = (message: Uint8Array) => probe.onQuery(readMessage(message).questions![0].name);
  const nameservers = Object.entries(servers).map(([text, server]) => {
    const nameserver = parseNameserver(text)!;
    const { address, port } = nameserver.address;
    network.serve(`${address}:${port}`, (received) => {
      asked.push(readMessage(received.message).questions![0].name);
      server(asksUs)(received);
    });
    return nameserver;
  });
  const stop = new AbortController();
  let found: string[] | undefined;
  const run = async (ms: number) => {
    found = undefined;
    void probe.probe(nameservers, stop.signal).then((loops) => found = loops.map(formatNameserver));
    await clock.advance(ms);
    return found;
  };
  return { clock, network, probe, asked, run, stop, found: () => found };
}

const LOOP = (asksUs: (message: Uint8Array) => boolean): FakeServer => (received) => {
  if (asksUs(received.message)) refusing(5)(received);
};

Deno.test("LoopProbe.probe() finds the servers that lead back here", async (t) => {
  const cases: [string, Parameters<typeof fixture>[0], string[], number][] = [
    ["none", { "192.0.2.1": () => refusing(3) }, [], LOOP_PROBE_GRACE_MS],
    ["the only one", { "192.0.2.1": LOOP }, ["192.0.2.1:53"], 0],
    ["one of two", { "192.0.2.1": () => refusing(3), "192.0.2.2": LOOP }, ["192.0.2.2:53"], 250],
    ["over TLS", { "tls://192.0.2.1": LOOP }, ["tls://192.0.2.1:853"], 0],
    ["one that is silent is none", { "192.0.2.1": () => silent }, [], LOOP_PROBE_MS],
    [
      "one that answers on its own is none",
      {
        "192.0.2.1": () => answering("192.0.2.80", 0),
      },
      [],
      LOOP_PROBE_GRACE_MS,
    ],
  ];
  for (const [title, servers, found, ms] of cases) {
    await t.step(title, async () => {
      const { run, network, clock } = fixture(servers);
      assert.deepEqual(await run(ms), found);
      await clock.advance(0);
      assert.equal(network.openSockets, 0);
      assert.equal(clock.pendingCount, 0);
    });
  }
  await t.step(
    "one that asks us later than it answers: some ask all they know at once",
    async () => {
      const { run, clock, probe, asked, found } = fixture({ "192.0.2.1": () => refusing(3) });
      assert.equal(await run(LOOP_PROBE_GRACE_MS - 1), undefined);
      assert.equal(probe.onQuery(asked[0]), true);
      await clock.advance(0);
      assert.deepEqual(found(), ["192.0.2.1:53"]);
    },
  );
});

Deno.test("LoopProbe.onQuery() knows its own questions while it waits, and no others", async () => {
  const { run, probe, asked, clock } = fixture({ "192.0.2.1": () => silent });
  assert.equal(await run(10), undefined);
  const [name] = asked;
  assert.match(name, new RegExp(`^[0-9a-f]{16}\\.${LOOP_PROBE_DOMAIN}$`));
  const others = [
    "www.example.org",
    LOOP_PROBE_DOMAIN,
    `0000000000000000.${LOOP_PROBE_DOMAIN}`,
    `x.${name}`,
    `${name}.example.org`,
  ];
  for (const other of others) assert.equal(probe.onQuery(other), false, other);
  assert.equal(probe.onQuery(name), true);
  assert.equal(probe.onQuery(name), false, "it is not waited for any more");
  await clock.advance(0);
});

Deno.test("LoopProbe.probe() asks each server for a name of its own", async () => {
  const { run, asked } = fixture({ "192.0.2.1": () => silent, "192.0.2.2": () => silent });
  await run(LOOP_PROBE_MS);
  await run(LOOP_PROBE_MS);
  assert.equal(new Set(asked).size, 4);
});

Deno.test("LoopProbe.probe() ends with its signal", async () => {
  const { run, stop, clock, network, found } = fixture({ "192.0.2.1": () => silent });
  assert.equal(await run(10), undefined);
  stop.abort();
  await clock.advance(0);
  assert.deepEqual(found(), []);
  assert.deepEqual([network.openSockets, clock.pendingCount], [0, 0]);
  assert.deepEqual(await run(0), []);
});
