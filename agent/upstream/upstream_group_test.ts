import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { answerMessage, readMessage } from "../../test/support/dns_messages.ts";
import { FakeNetwork, type FakeServer } from "../../test/support/fake_network.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import { formatAddress } from "../dns/ip_address.ts";
import { silentLog } from "../system/log.ts";
import { systemClock } from "../system/clock.ts";
import { systemNetwork } from "../system/network.ts";
import { SystemRandom } from "../system/random.ts";
import { exchange } from "./exchange.ts";
import { UpstreamGroup, type UpstreamOutcome } from "./upstream_group.ts";

const REQUEST = {
  question: { name: "www.example.org", type: 1, class: 1 },
  dnssecOk: false,
  checkingDisabled: false,
};
const A = "192.0.2.1:53";
const B = "192.0.2.2:53";

/** An answer with one address to any query, changed as a test wishes. */
function answerTo(
  query: Uint8Array,
  data: string,
  more: { flags?: number; id?: number; name?: string } = {},
) {
  const asked = readMessage(query);
  const name = more.name ?? asked.questions![0].name;
  const rcode = (more.flags ?? 0) & 0xf;
  return answerMessage({
    id: more.id ?? asked.id,
    name,
    questionType: "A",
    flags: 0x0180 | (more.flags ?? 0),
    answers: rcode === 0 && data !== "" ? [{ type: "A", name, ttl: 60, data }] : [],
  });
}

const answering = (data: string, delayMs = 10): FakeServer => ({ message, reply }) =>
  reply(answerTo(message, data), { delayMs });
const silent: FakeServer = () => {};

function group(servers: Record<string, FakeServer>, options: { maxExchanges?: number } = {}) {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  for (const [address, server] of Object.entries(servers)) network.serve(address, server);
  const seen: string[] = [];
  const upstream = new UpstreamGroup({
    servers: Object.keys(servers).map((address) => ({ address: address.split(":")[0], port: 53 })),
    network,
    clock,
    random: new FixedRandom(),
    log: silentLog,
    observer: {
      onRequest: (server) => seen.push(`ask ${server}`),
      onAnswer: (server) => seen.push(`answer ${server}`),
      onFailure: (server, reason) => seen.push(`${reason} ${server}`),
    },
    ...options,
  });
  /** Asks, and lets `ms` pass. */
  const ask = async (ms: number): Promise<UpstreamOutcome | undefined> => {
    let outcome: UpstreamOutcome | undefined;
    void upstream.exchange(REQUEST).then((result) => outcome = result);
    await clock.advance(ms);
    return outcome;
  };
  return { upstream, clock, network, seen, ask };
}

function text(outcome: UpstreamOutcome | undefined): string {
  if (outcome === undefined) return "nothing yet";
  if (outcome.kind === "failure") return `failure: ${outcome.reason}`;
  return `${outcome.server} ${
    outcome.answer.answers.map(({ rdata }) => formatAddress(rdata)).join()
  }`;
}

Deno.test("UpstreamGroup.exchange() gives the answer of the first server", async () => {
  const { ask, network, seen } = group({
    [A]: answering("192.0.2.80"),
    [B]: answering("192.0.2.81"),
  });
  assert.equal(text(await ask(20)), `${A} 192.0.2.80`);
  assert.deepEqual(seen, [`ask ${A}`, `answer ${A}`]);
  assert.equal(network.openSockets, 0);
});

Deno.test("UpstreamGroup.exchange() asks the next server after a second", async () => {
  const { ask, seen } = group({ [A]: silent, [B]: answering("192.0.2.81") });
  assert.equal(text(await ask(1005)), "nothing yet");
  const second = group({ [A]: silent, [B]: answering("192.0.2.81") });
  assert.equal(text(await second.ask(1050)), `${B} 192.0.2.81`);
  assert.deepEqual(second.seen, [`ask ${A}`, `timeout ${A}`, `ask ${B}`, `answer ${B}`]);
  assert.equal(seen[0], `ask ${A}`);
});

Deno.test("UpstreamGroup.exchange() prefers the faster server, and keeps asking the dead last", async () => {
  const { ask, clock, upstream } = group({ [A]: silent, [B]: answering("192.0.2.81") });
  for (let i = 0; i < 3; i++) await ask(1100);
  assert.deepEqual(upstream.status().map(({ server, healthy }) => [server, healthy]), [[B, true], [
    A,
    false,
  ]]);
  assert.equal(text(await ask(20)), `${B} 192.0.2.81`);
  await clock.advance(11_000);
  assert.match(
    upstream.status().find(({ server }) => server === A)!.lastError,
    /no answer in 1000 ms/,
  );
});

Deno.test("UpstreamGroup.exchange() fails after 4.5 seconds at the latest", async () => {
  const { ask, seen, network } = group({ [A]: silent, [B]: silent });
  const outcome = await ask(4_500);
  assert.match(
    text(outcome),
    /^failure: no upstream server answered \(192\.0\.2\.1:53: no answer in 1000 ms; /,
  );
  assert.equal(outcome!.kind === "failure" && outcome!.timedOut, true);
  assert.equal(seen.filter((line) => line.startsWith("ask")).length, 5);
  assert.equal(network.openSockets, 0);
});

Deno.test("UpstreamGroup.exchange() asks another server when one refuses", async (t) => {
  for (const [title, flags] of [["SERVFAIL", 2], ["REFUSED", 5]] as const) {
    await t.step(title, async () => {
      const refusing: FakeServer = ({ message, reply }) => reply(answerTo(message, "", { flags }));
      const { ask } = group({ [A]: refusing, [B]: answering("192.0.2.81") });
      assert.equal(text(await ask(50)), `${B} 192.0.2.81`);
      const alone = group({ [A]: refusing });
      const outcome = await alone.ask(50);
      assert.ok(outcome?.kind === "answer" && outcome.answer.rcode === flags);
    });
  }
});

Deno.test("UpstreamGroup.exchange() says so when it can ask nobody", async () => {
  assert.equal(text(await group({}).ask(0)), "failure: no upstream server is known");
  const { upstream, ask } = group({ [A]: silent }, { maxExchanges: 1 });
  void upstream.exchange(REQUEST);
  assert.equal(text(await ask(0)), "failure: too many questions are under way");
});

Deno.test("exchange() takes only the reply of the server that was asked", async (t) => {
  const bad: [string, FakeServer][] = [
    [
      "another port",
      ({ message, reply }) =>
        reply(answerTo(message, "203.0.113.6"), { from: { address: "192.0.2.1", port: 5353 } }),
    ],
    [
      "another address",
      ({ message, reply }) =>
        reply(answerTo(message, "203.0.113.6"), { from: { address: "203.0.113.1", port: 53 } }),
    ],
    [
      "another id",
      ({ message, reply }) =>
        reply(answerTo(message, "203.0.113.6", { id: readMessage(message).id! ^ 1 })),
    ],
    [
      "another question",
      ({ message, reply }) => reply(answerTo(message, "203.0.113.6", { name: "evil.example" })),
    ],
  ];
  for (const [title, spoof] of bad) {
    await t.step(`${title}: ignored, and the wait goes on`, async () => {
      const { ask } = group({
        [A]: (received) => {
          spoof(received);
          received.reply(answerTo(received.message, "192.0.2.80"), { delayMs: 500 });
        },
      });
      assert.equal(text(await ask(600)), `${A} 192.0.2.80`);
    });
    await t.step(`${title}: three of them move the question to TCP`, async () => {
      const { ask } = group({
        [A]: (received) => {
          if (received.transport === "tcp") {
            received.reply(answerTo(received.message, "192.0.2.80"));
          } else for (let i = 0; i < 3; i++) spoof(received);
        },
      });
      assert.equal(text(await ask(100)), `${A} 192.0.2.80`);
    });
  }
});

Deno.test("exchange() asks again on TCP when the answer is truncated", async () => {
  const { ask } = group({
    [A]: ({ message, transport, reply }) =>
      reply(
        transport === "udp"
          ? answerTo(message, "", { flags: 0x0200 })
          : answerTo(message, "192.0.2.80"),
      ),
  });
  assert.equal(text(await ask(100)), `${A} 192.0.2.80`);
});

Deno.test("exchange() asks without EDNS where that is refused", async () => {
  const { ask } = group({
    [A]: ({ message, reply }) => {
      const withEdns = readMessage(message).additionals!.length > 0;
      reply(withEdns ? answerTo(message, "", { flags: 1 }) : answerTo(message, "192.0.2.80"));
    },
  });
  assert.equal(text(await ask(100)), `${A} 192.0.2.80`);
});

Deno.test("exchange() fails on an answer that is not readable, and asks the next server", async () => {
  const { ask } = group({
    [A]: ({ message, reply }) =>
      reply(Buffer.from(answerTo(message, "192.0.2.80")).subarray(0, -3)),
    [B]: answering("192.0.2.81"),
  });
  assert.equal(text(await ask(100)), `${B} 192.0.2.81`);
});

Deno.test("exchange() ignores, on a real socket, a right reply from a wrong port", async () => {
  const local = { address: "127.0.0.1", port: 0 };
  const spoofer = await systemNetwork.bindUdp(local, { onMessage() {}, onError() {} });
  const server = await systemNetwork.bindUdp(local, {
    onMessage: (message, from) => {
      spoofer.send(answerTo(message, "203.0.113.6"), from);
      setTimeout(() => server.send(answerTo(message, "192.0.2.80"), from), 50);
    },
    onError() {},
  });
  const outcome = await exchange(server.local, REQUEST, {
    network: systemNetwork,
    clock: systemClock,
    random: new SystemRandom(),
    timeoutMs: 2_000,
  });
  spoofer.close();
  server.close();
  await settle();
  assert.ok(outcome.kind === "answer");
  assert.equal(formatAddress(outcome.answer.answers[0].rdata), "192.0.2.80");
});
