import assert from "node:assert/strict";
import { readMessage } from "../../test/support/dns_messages.ts";
import type { FakeServer } from "../../test/support/fake_network.ts";
import {
  answering,
  answerTo,
  refusing,
  silent,
  UpstreamFixture,
} from "../../test/support/upstream_fixture.ts";

import { EXPLORATION_INTERVAL, HEDGES_SAVED_MAX } from "./extra_queries.ts";

const A = "192.0.2.1:53";
const B = "192.0.2.2:53";
const C = "192.0.2.3:53";

/** Two servers that were heard of: A takes 10 ms, B 20. */
async function known(options?: ConstructorParameters<typeof UpstreamFixture>[1]) {
  const fixture = new UpstreamFixture({
    [A]: answering("192.0.2.80", 10),
    [B]: answering("192.0.2.81", 20),
  }, options);
  await fixture.ask(1_000);
  await fixture.ask(1_000);
  assert.deepEqual(fixture.takeSeen(), [`ask ${A}`, `answer ${A}`, `ask ${B}`, `answer ${B}`]);
  return fixture;
}

Deno.test("askInTurn() gives the answer of the best server", async () => {
  const fixture = await known();
  assert.equal(await fixture.answer(20), `${A} 192.0.2.80`);
  assert.deepEqual(fixture.takeSeen(), [`ask ${A}`, `answer ${A}`]);
  assert.equal(fixture.network.openSockets, 0);
  assert.equal(fixture.clock.pendingCount, 0);
});

Deno.test("askInTurn() asks a second server when the first is slower than its usual", async () => {
  const fixture = await known();
  fixture.serve(A, answering("192.0.2.80", 600));
  assert.equal(await fixture.answer(49), "nothing yet");
  assert.deepEqual(fixture.takeSeen(), [`ask ${A}`]);
  await fixture.clock.advance(2);
  assert.deepEqual(fixture.takeSeen(), [`hedge ${B}`, `ask ${B}`]);
  await fixture.clock.advance(20);
  assert.deepEqual(fixture.takeSeen(), [`answer ${B}`]);
  await fixture.clock.advance(600);
  assert.deepEqual(fixture.takeSeen(), [`answer ${A}`], "A is listened to, to learn its speed");
  assert.equal(await fixture.answer(50), `${B} 192.0.2.81`, "B comes first by now");
  assert.equal(fixture.network.openSockets, 0);
});

Deno.test("askInTurn() hedges some of the questions, and waits a second at the others", async () => {
  const fixture = await known();
  fixture.serve(A, answering("192.0.2.80", 300));
  const question = { name: "www.example.org", type: 1, class: 1 };
  const request = { question, dnssecOk: false, checkingDisabled: false };
  for (let i = 0; i < 25; i++) void fixture.upstream.exchange(request);
  await fixture.clock.advance(299);
  const hedges = fixture.takeSeen().filter((line) => line === `hedge ${B}`).length;
  assert.equal(hedges, HEDGES_SAVED_MAX);
  await fixture.clock.advance(1_000);
  assert.equal(fixture.network.openSockets, 0);
});

Deno.test("askInTurn() asks the next server after a second at the latest", async () => {
  const fixture = new UpstreamFixture({ [A]: silent, [B]: silent, [C]: answering("192.0.2.82") });
  assert.equal(await fixture.answer(1_100), "nothing yet");
  assert.deepEqual(fixture.takeSeen(), [`ask ${A}`, `hedge ${B}`, `ask ${B}`, `timeout ${A}`]);
  await fixture.clock.advance(300);
  assert.deepEqual(fixture.takeSeen(), [`timeout ${B}`, `retry ${C}`, `ask ${C}`, `answer ${C}`]);
});

Deno.test("askInTurn() takes an answer that comes late", async () => {
  const fixture = new UpstreamFixture({ [A]: answering("192.0.2.80", 1_700) });
  assert.equal(await fixture.answer(1_800), `${A} 192.0.2.80`);
  assert.deepEqual(fixture.takeSeen(), [
    `ask ${A}`,
    `timeout ${A}`,
    `retry ${A}`,
    `ask ${A}`,
    `answer ${A}`,
  ]);
  assert.equal(fixture.upstream.status()[0].lastError, "", "it lives");
  await fixture.clock.advance(2_000);
  assert.equal(fixture.network.openSockets, 0);
});

Deno.test("askInTurn() fails after 4.5 seconds at the latest", async () => {
  const fixture = new UpstreamFixture({ [A]: silent, [B]: silent });
  assert.equal(await fixture.answer(4_499), "nothing yet");
  const later = new UpstreamFixture({ [A]: silent, [B]: silent });
  const outcome = await later.ask(4_500);
  assert.ok(outcome?.kind === "failure" && outcome.timedOut);
  assert.match(
    outcome.reason,
    /^no upstream server answered \(192\.0\.2\.1:53: no answer in 1000 ms; 192\.0\.2\.2:53: /,
  );
  const asked = later.takeSeen().filter((line) => line.startsWith("ask"));
  assert.ok(asked.length >= 5 && asked.length <= 10, `${asked.length} queries, probes included`);
  later.upstream.close();
  await later.clock.advance(0);
  assert.equal(later.network.openSockets, 0);
});

Deno.test("askInTurn() asks the others when one has no usable answer", async (t) => {
  const unreadable: FakeServer = ({ message, reply }) =>
    reply(answerTo(message, { data: "192.0.2.80" }).subarray(0, -3));
  const cases: [string, FakeServer, string][] = [
    ["SERVFAIL", refusing(2), `${A} rcode 2`],
    ["REFUSED", refusing(5), `${A} rcode 5`],
    [
      "unreadable",
      unreadable,
      `failure: no upstream server answered (${A}: unreadable answer: unreadable record)`,
    ],
  ];
  for (const [title, server, alone] of cases) {
    await t.step(title, async () => {
      const fixture = new UpstreamFixture({ [A]: server, [B]: answering("192.0.2.81") });
      assert.equal(await fixture.answer(50), `${B} 192.0.2.81`);
      assert.ok(fixture.takeSeen().includes(`retry ${B}`));
      assert.equal(await new UpstreamFixture({ [A]: server }).answer(50), alone);
    });
  }
  await t.step("one refuses, the other is silent: the refusal, after its second", async () => {
    const fixture = new UpstreamFixture({ [A]: silent, [B]: refusing(2) });
    assert.equal(await fixture.answer(999), "nothing yet");
    const later = new UpstreamFixture({ [A]: silent, [B]: refusing(2) });
    assert.equal(await later.answer(1_001), `${B} rcode 2`);
  });
  await t.step("a refusal is not asked for twice", async () => {
    let asked = 0;
    const fixture = new UpstreamFixture({
      [A]: ({ message, reply }) => {
        asked++;
        reply(answerTo(message, { flags: 2 }));
      },
    });
    await fixture.ask(4_500);
    assert.equal(asked, 1);
  });
});

Deno.test("askInTurn() keeps to the number of queries under way", async () => {
  const fixture = new UpstreamFixture({ [A]: silent, [B]: silent }, { maxQueries: 3 });
  for (let i = 0; i < 2; i++) void fixture.ask(0);
  await fixture.clock.advance(900);
  assert.equal(fixture.network.openSockets, 3, "two questions and one hedge");
  assert.equal(await fixture.answer(0), "failure: too many questions are under way");
  await fixture.clock.advance(10_000);
  assert.equal(fixture.network.openSockets <= 1, true, "probes alone");
  fixture.serve(A, answering("192.0.2.80"));
  assert.match(await fixture.answer(1_500), /192\.0\.2\.80$/, "the places were given back");
});

Deno.test("UpstreamGroup.exchange() says so when there is nobody", async () => {
  assert.equal(await new UpstreamFixture().answer(0), "failure: no upstream server is known");
});

Deno.test("UpstreamGroup.exchange() finds a server that became fast", async () => {
  const fixture = new UpstreamFixture({
    [A]: answering("192.0.2.80", 30),
    [B]: answering("192.0.2.81", 40),
  });
  for (let i = 0; i < 4; i++) await fixture.ask(50);
  fixture.serve(B, answering("192.0.2.81", 1));
  let questions = 0;
  while (fixture.upstream.status()[0].server === A && questions++ < 1_000) await fixture.ask(50);
  assert.ok(questions <= 4 * EXPLORATION_INTERVAL, `found after ${questions} questions`);
  assert.equal(await fixture.answer(50), `${B} 192.0.2.81`, "and comes first from then on");
});

Deno.test("UpstreamServer is probed when it failed, and comes back by itself", async () => {
  const fixture = new UpstreamFixture({ [A]: silent, [B]: answering("192.0.2.81", 20) });
  for (let i = 0; i < 3; i++) await fixture.ask(1_100);
  await fixture.clock.advance(5_000);
  const healthy = () =>
    fixture.upstream.status().map(({ server, healthy }) => [server, healthy] as const);
  assert.deepEqual(healthy(), [[B, true], [A, false]]);
  assert.equal(await fixture.answer(30), `${B} 192.0.2.81`);
  fixture.takeSeen();
  await fixture.clock.advance(1_200_000);
  const probes = fixture.takeSeen().filter((line) => line === `ask ${A}`).length;
  assert.ok(probes >= 20 && probes <= 40, `${probes} probes in 20 minutes`);
  const asked: string[] = [];
  fixture.serve(A, ({ message, reply }) => {
    asked.push(readMessage(message).questions!.map(({ name, type }) => `${name} ${type}`).join());
    reply(answerTo(message, { flags: 5 }), { delayMs: 5 });
  });
  await fixture.clock.advance(61_000);
  assert.deepEqual(asked, [". NS"], "one probe, and it was enough, though refused");
  assert.deepEqual(healthy(), [[A, true], [B, true]]);
  assert.equal(fixture.clock.pendingCount, 0);
});

Deno.test("UpstreamServer that lost one packet is back in its place a second later", async () => {
  const fixture = await known();
  fixture.serve(A, silent);
  assert.equal(await fixture.answer(1_000), `${B} 192.0.2.81`);
  fixture.serve(A, answering("192.0.2.80", 10));
  assert.equal(await fixture.answer(100), `${B} 192.0.2.81`);
  await fixture.clock.advance(1_000);
  assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
  assert.equal(fixture.network.openSockets, 0, "nobody waits for the lost one any more");
});

Deno.test("UpstreamGroup.exchange() asks the dead when all are", async () => {
  const fixture = new UpstreamFixture({ [A]: silent, [B]: silent });
  for (let i = 0; i < 3; i++) await fixture.ask(5_000);
  assert.ok(fixture.upstream.status().every(({ healthy }) => !healthy));
  fixture.serve(A, answering("192.0.2.80"));
  assert.equal(await fixture.answer(1_200), `${A} 192.0.2.80`);
  assert.ok(fixture.upstream.status().some(({ healthy }) => healthy));
});
