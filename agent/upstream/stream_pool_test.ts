import assert from "node:assert/strict";
import { readMessage } from "../../test/support/dns_messages.ts";
import {
  FakeNetwork,
  type FakeServer,
  type ReceivedMessage,
} from "../../test/support/fake_network.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { answering, answerTo, silent } from "../../test/support/upstream_fixture.ts";
import { encodeUpstreamQuery } from "../dns/upstream_query.ts";
import {
  CONNECTIONS_MAX,
  IDLE_MS,
  OUTSTANDING_MAX,
  type StreamOutcome,
  StreamPool,
} from "./stream_pool.ts";

const SERVER = { address: "192.0.2.1", port: 853 };

class Fixture {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly pool = new StreamPool({
    connect: (handlers, signal) => this.network.connectTls(SERVER, handlers, { signal }),
    clock: this.clock,
    random: new FixedRandom(),
  });

  constructor(server: FakeServer) {
    this.serve(server);
  }

  serve(server: FakeServer): void {
    this.network.serve("192.0.2.1:853", server);
  }

  /** Asks; `outcome` is there once there is one. */
  ask(name = "www.example.org"): { outcome?: StreamOutcome; limit: AbortController } {
    const question = { name, type: 1, class: 1 };
    const limit = new AbortController();
    const asked: { outcome?: StreamOutcome; limit: AbortController } = { limit };
    void this.pool.exchange({
      question,
      encode: (id) =>
        encodeUpstreamQuery({
          id,
          question,
          dnssecOk: false,
          checkingDisabled: false,
          udpPayloadSize: 1232,
        }),
      signal: limit.signal,
    }).then((outcome) => asked.outcome = outcome);
    return asked;
  }
}

/** The name that an answer is to, or why there is none. */
function text({ outcome }: { outcome?: StreamOutcome }): string {
  if (outcome === undefined) return "nothing yet";
  if (outcome.kind === "failure") return outcome.reason;
  return outcome.message.answer.answers.map(({ name }) => name).join();
}

const names = (count: number) => Array.from({ length: count }, (_, i) => `n${i}.example.org`);

Deno.test("StreamPool.exchange() asks many questions on one connection, answered in any order", async () => {
  const received: ReceivedMessage[] = [];
  const fixture = new Fixture((message) => void received.push(message));
  const asked = names(50).map((name) => ({ name, asked: fixture.ask(name) }));
  await fixture.clock.advance(0);
  assert.equal(received.length, 50, "none waits for another's answer");
  assert.equal(new Set(received.map(({ message }) => readMessage(message).id)).size, 50);
  for (const { message, reply } of received.reverse()) {
    reply(answerTo(message, { data: "192.0.2.80" }));
  }
  await fixture.clock.advance(0);
  for (const { name, asked: one } of asked) assert.equal(text(one), name);
  assert.equal(fixture.network.connections, 1);
});

Deno.test("StreamPool.exchange() takes no answer but its own", async (t) => {
  const cases: [string, FakeServer][] = [
    [
      "another id",
      ({ message, reply }) =>
        reply(answerTo(message, { data: "203.0.113.6", id: readMessage(message).id! ^ 1 })),
    ],
    [
      "another question",
      ({ message, reply }) =>
        reply(answerTo(message, { data: "203.0.113.6", name: "evil.example" })),
    ],
    ["an octet", ({ reply }) => reply(Uint8Array.of(0))],
    ["nothing", ({ reply }) => reply(new Uint8Array(0))],
  ];
  for (const [title, wrong] of cases) {
    await t.step(title, async () => {
      const fixture = new Fixture((received) => {
        wrong(received);
        answering("192.0.2.80", 5)(received);
      });
      const asked = fixture.ask();
      await fixture.clock.advance(1);
      assert.equal(text(asked), "nothing yet");
      await fixture.clock.advance(10);
      assert.equal(text(asked), "www.example.org");
    });
  }
  await t.step("one that is cut, or not readable", async () => {
    const cut = new Fixture(({ message, reply }) => reply(answerTo(message, { flags: 0x0200 })));
    const asked = cut.ask();
    await cut.clock.advance(1);
    assert.equal(text(asked), "truncated although it came on a connection");
    const fixture = new Fixture(({ message, reply }) =>
      reply(answerTo(message, { data: "192.0.2.80" }).subarray(0, -1))
    );
    const second = fixture.ask();
    await fixture.clock.advance(1);
    assert.equal(text(second), "unreadable answer: unreadable record");
  });
});

Deno.test("StreamPool.exchange() asks again, once, where a used connection ends before the answer", async (t) => {
  await t.step("closed by a server that had answered", async () => {
    let messages = 0;
    const fixture = new Fixture((received) => {
      // The second message of the first connection meets a server that has just gone.
      if (++messages === 2) received.close();
      else answering("192.0.2.80", 0)(received);
    });
    const first = fixture.ask();
    await fixture.clock.advance(1);
    const second = fixture.ask();
    await fixture.clock.advance(1);
    assert.equal(text(first), "www.example.org");
    assert.equal(text(second), "www.example.org");
    assert.equal(fixture.network.connections, 2);
  });
  await t.step("many at once share the new connection", async () => {
    const fixture = new Fixture(answering("192.0.2.80", 0));
    fixture.ask();
    await fixture.clock.advance(1);
    let closed = false;
    fixture.serve((received) => {
      if (!closed) received.close();
      else answering("192.0.2.80", 0)(received);
      closed = true;
    });
    const asked = names(20).map((name) => fixture.ask(name));
    await fixture.clock.advance(1);
    assert.deepEqual(asked.map(text), names(20));
    assert.equal(fixture.network.connections, 2);
  });
  await t.step("a server that always closes is asked twice at most", async () => {
    let messages = 0;
    const fixture = new Fixture(answering("192.0.2.80", 0));
    fixture.ask();
    await fixture.clock.advance(1);
    fixture.serve(({ close }) => {
      messages++;
      close();
    });
    const asked = fixture.ask();
    await fixture.clock.advance(1);
    assert.equal(text(asked), "the server closed the connection");
    assert.equal(messages, 2);
    const fresh = fixture.ask();
    await fixture.clock.advance(1);
    assert.equal(text(fresh), "the server closed the connection");
    assert.equal(messages, 3, "a new connection that ends is a failure at once");
  });
});

Deno.test("StreamPool closes connections that nobody uses", async () => {
  const fixture = new Fixture(answering("192.0.2.80", 0));
  fixture.ask();
  await fixture.clock.advance(IDLE_MS - 1);
  fixture.ask();
  await fixture.clock.advance(IDLE_MS - 1);
  assert.equal(fixture.network.openSockets, 1, "it was used meanwhile");
  await fixture.clock.advance(1);
  assert.equal(fixture.network.openSockets, 0);
  assert.equal(fixture.clock.pendingCount, 0);
});

Deno.test("StreamPool bounds queries and connections", async () => {
  const fixture = new Fixture(silent);
  const asked = names(OUTSTANDING_MAX * CONNECTIONS_MAX).map((name) => fixture.ask(name));
  const over = fixture.ask();
  await fixture.clock.advance(0);
  assert.equal(text(over), "too many queries wait on its connections");
  assert.equal(fixture.network.connections, CONNECTIONS_MAX);
  assert.ok(asked.every((one) => text(one) === "nothing yet"));
  for (const { limit } of asked) limit.abort();
  await fixture.clock.advance(IDLE_MS);
  assert.equal(fixture.network.openSockets, 0);
});

Deno.test("StreamPool gives up a connection that nobody waits for any more", async () => {
  const fixture = new Fixture(silent);
  let aborted = 0;
  const pool = new StreamPool({
    connect: (_handlers, signal) =>
      new Promise((_resolve, reject) =>
        signal.addEventListener("abort", () => {
          aborted++;
          reject(signal.reason);
        })
      ),
    clock: fixture.clock,
    random: new FixedRandom(),
  });
  const limit = new AbortController();
  const outcome = pool.exchange({
    question: { name: "www.example.org", type: 1, class: 1 },
    encode: () => new Uint8Array(0),
    signal: limit.signal,
  });
  limit.abort();
  assert.deepEqual(await outcome, { kind: "failure", reason: "the wait was ended" });
  assert.equal(aborted, 1);
});

Deno.test("StreamPool.retireSilent() leaves silent connections, and none that answer", async () => {
  const fixture = new Fixture(silent);
  const first = fixture.ask();
  await fixture.clock.advance(1_000);
  fixture.pool.retireSilent(1_000);
  fixture.serve(answering("192.0.2.80", 0));
  const second = fixture.ask();
  await fixture.clock.advance(1);
  assert.equal(text(second), "www.example.org");
  assert.equal(fixture.network.connections, 2);
  await fixture.clock.advance(500);
  fixture.serve(silent);
  fixture.ask();
  await fixture.clock.advance(600);
  fixture.pool.retireSilent(1_000);
  fixture.ask();
  await fixture.clock.advance(0);
  assert.equal(fixture.network.connections, 2, "its query waits for 600 ms only");
  first.limit.abort();
  await fixture.clock.advance(0);
  assert.equal(fixture.network.openSockets, 1, "the silent one is closed once nobody waits on it");
});

Deno.test("StreamPool.close() lets queries that wait be answered", async () => {
  const fixture = new Fixture(answering("192.0.2.80", 50));
  const asked = fixture.ask();
  await fixture.clock.advance(1);
  fixture.pool.close();
  await fixture.clock.advance(50);
  assert.equal(text(asked), "www.example.org");
  assert.equal(fixture.network.openSockets, 0);
  assert.equal(fixture.clock.pendingCount, 0);
});
