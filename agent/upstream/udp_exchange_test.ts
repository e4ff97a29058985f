import assert from "node:assert/strict";
import { readMessage } from "../../test/support/dns_messages.ts";
import { FakeNetwork, type FakeServer } from "../../test/support/fake_network.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import { answering, answerTo, UpstreamFixture } from "../../test/support/upstream_fixture.ts";
import { formatAddress } from "../dns/ip_address.ts";
import { systemClock } from "../system/clock.ts";
import { systemNetwork } from "../system/network.ts";
import { SystemRandom } from "../system/random.ts";
import { formatSocketAddress } from "../system/socket_address.ts";
import { ServerTraits } from "./server_traits.ts";
import { exchangeUdp, type UdpExchangeOptions } from "./udp_exchange.ts";

const A = "192.0.2.1:53";
const REQUEST = {
  question: { name: "www.example.org", type: 1, class: 1 },
  dnssecOk: false,
  checkingDisabled: false,
};
const EVIL = { data: "203.0.113.6" };
const at = (address: string, port: number) => ({ address, port });

/** What an attacker sends to a client whose query it cannot see, and, at worst, can. */
const SPOOFS: [string, FakeServer][] = [
  [
    "another port",
    ({ message, reply }) => reply(answerTo(message, EVIL), { from: at("192.0.2.1", 5353) }),
  ],
  [
    "another address",
    ({ message, reply }) => reply(answerTo(message, EVIL), { from: at("203.0.113.1", 53) }),
  ],
  [
    "an address that is none",
    ({ message, reply }) => reply(answerTo(message, EVIL), { from: at("nowhere%eth0", 53) }),
  ],
  [
    "another id",
    ({ message, reply }) => reply(answerTo(message, { ...EVIL, id: readMessage(message).id! ^ 1 })),
  ],
  [
    "another question",
    ({ message, reply }) => reply(answerTo(message, { ...EVIL, name: "www.example.net" })),
  ],
  ["its own query", ({ message, reply }) => reply(message)],
  ["an octet", ({ reply }) => reply(Uint8Array.of(0))],
  [
    "a refusal without a question and with another id",
    ({ message, reply }) =>
      reply(Uint8Array.of(message[0], message[1] ^ 1, 0x81, 0x81, 0, 0, 0, 0, 0, 0, 0, 0)),
  ],
];

Deno.test("exchangeUdp() takes only the reply of the server that was asked", async (t) => {
  for (const [title, spoof] of SPOOFS) {
    await t.step(`${title}: ignored, and the wait goes on`, async () => {
      const fixture = new UpstreamFixture({
        [A]: (received) => {
          spoof(received);
          spoof(received);
          answering("192.0.2.80", 500)(received);
        },
      });
      assert.equal(await fixture.answer(600), `${A} 192.0.2.80`);
      assert.deepEqual(fixture.seen, [
        `ask ${A}`,
        `mismatch ${A}`,
        `mismatch ${A}`,
        `answer ${A}`,
      ]);
    });
    await t.step(`${title}: three of them move the question to TCP`, async () => {
      const fixture = new UpstreamFixture({
        [A]: (received) => {
          if (received.transport === "tcp") answering("192.0.2.80")(received);
          else for (let i = 0; i < 5; i++) spoof(received);
        },
      });
      assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
      assert.ok(fixture.seen.includes(`TCP ${A}: mismatches`));
      assert.equal(fixture.seen.filter((line) => line === `mismatch ${A}`).length, 3);
    });
  }
});

Deno.test("exchangeUdp() compares addresses, however they are written", async (t) => {
  const cases: [string, string, string, boolean][] = [
    ["link-local, as the runtime tells it", "fe80::1%eth0", "fe80::1", true],
    ["link-local, in another spelling", "fe80::1%eth0", "fe80:0:0:0:0:0:0:1", true],
    ["link-local, with its zone", "fe80::1%eth0", "fe80::1%eth0", true],
    ["a link-local neighbour", "fe80::1%eth0", "fe80::2%eth0", false],
    ["something that is no address", "fe80::1%eth0", "x%eth0", false],
    ["neither is one", "y%eth0", "x%eth0", false],
    ["IPv6 in another spelling", "2001:db8::1", "2001:DB8:0::1", true],
    ["IPv4 inside IPv6", "192.0.2.1", "::ffff:192.0.2.1", true],
    ["another IPv4 inside IPv6", "192.0.2.1", "::ffff:192.0.2.2", false],
  ];
  for (const [title, server, from, taken] of cases) {
    await t.step(title, async () => {
      const clock = new ManualClock();
      const network = new FakeNetwork(clock);
      network.serve(formatSocketAddress(at(server, 53)), ({ message, reply }) => {
        reply(answerTo(message, { data: "192.0.2.80" }), { from: at(from, 53) });
      });
      const { outcome } = ask(at(server, 53), { network, clock, random: new FixedRandom() });
      let kind = "nothing yet";
      void outcome.then((outcome) => kind = outcome.kind);
      await clock.advance(100);
      assert.equal(kind, taken ? "answer" : "nothing yet");
    });
  }
});

Deno.test("exchangeUdp() wants its letter case back where it mixed it", async (t) => {
  const lower: FakeServer = (received) => {
    const answer = answerTo(received.message, EVIL);
    for (let i = 13; i < 28; i++) if (answer[i] > 0x40 && answer[i] < 0x5b) answer[i] |= 0x20;
    received.reply(answer);
  };
  await t.step("a reply in other case is not believed: TCP has the answer", async () => {
    const fixture = new UpstreamFixture({
      [A]: (received) =>
        received.transport === "udp" ? lower(received) : answering("192.0.2.80")(received),
    }, { caseRandomization: () => true, random: new AllOnes() });
    assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
    assert.ok(fixture.takeSeen().includes(`TCP ${A}: letter case`));
    for (let i = 0; i < 2; i++) await fixture.ask(100);
    fixture.takeSeen();
    fixture.serve(A, answering("192.0.2.80"));
    const names: string[] = [];
    fixture.serve(A, (received) => {
      names.push(readMessage(received.message).questions![0].name);
      answering("192.0.2.80")(received);
    });
    assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
    assert.deepEqual(names, ["www.example.org"], "not mixed after three answers in other case");
  });
  await t.step("a reply in the same case is", async () => {
    const names: string[] = [];
    const fixture = new UpstreamFixture({
      [A]: (received) => {
        names.push(readMessage(received.message).questions![0].name);
        answering("192.0.2.80")(received);
      },
    }, { caseRandomization: () => true, random: new AllOnes() });
    assert.equal(await fixture.answer(100), `${A} 192.0.2.80`);
    assert.deepEqual(names, ["WWW.EXAMPLE.ORG"]);
  });
  await t.step("off unless it is wished", async () => {
    const fixture = new UpstreamFixture({ [A]: lower });
    assert.equal(await fixture.answer(100), `${A} 203.0.113.6`);
  });
});

Deno.test("exchangeUdp() uses a fresh port and a fresh id for each query", async () => {
  const seen = new Set<string>();
  const ids = new Set<number>();
  const fixture = new UpstreamFixture({
    [A]: (received) => {
      seen.add(`${received.from.port}`);
      ids.add(readMessage(received.message).id!);
      answering("192.0.2.80", 0)(received);
    },
  });
  for (let i = 0; i < 20; i++) await fixture.ask(0);
  assert.equal(seen.size, 20);
  assert.equal(ids.size, 20);
});

Deno.test("exchangeUdp() ignores, on real sockets, a right reply from a wrong place", async (t) => {
  const handlers = { onMessage() {}, onError() {} };
  const cases: [string, (server: number) => ReturnType<typeof at>][] = [
    ["another port", () => at("127.0.0.1", 0)],
    ["another address", (server) => at("127.0.0.2", server)],
  ];
  for (const [title, place] of cases) {
    await t.step(title, async () => {
      const ports = new Set<number>();
      let spoofs = 0;
      const server = await systemNetwork.bindUdp(at("127.0.0.1", 0), {
        onMessage: (message, from) => {
          ports.add(from.port);
          // Right id, right question, right port of the client: only the sender's own place is wrong.
          spoofer.send(answerTo(message, EVIL), from);
          spoofs++;
          setTimeout(() => server.send(answerTo(message, { data: "192.0.2.80" }), from), 50);
        },
        onError() {},
      });
      const spoofer = await systemNetwork.bindUdp(place(server.local.port), handlers);
      const ports1 = { network: systemNetwork, clock: systemClock, random: new SystemRandom() };
      for (let i = 0; i < 2; i++) {
        const { outcome, mismatches } = ask(server.local, ports1);
        const result = await outcome;
        assert.ok(result.kind === "answer");
        assert.equal(formatAddress(result.message.answer.answers[0].rdata), "192.0.2.80");
        assert.equal(mismatches(), 1, "the spoof came, and was counted");
      }
      spoofer.close();
      server.close();
      await settle();
      assert.equal(spoofs, 2);
      assert.equal(ports.size, 2, "each query has a port of its own");
    });
  }
});

Deno.test("exchangeUdp() ends with its signal, and when the network refuses", async (t) => {
  const clock = new ManualClock();
  const network = new FakeNetwork(clock);
  const ports = { network, clock, random: new FixedRandom() };
  await t.step("aborted before", async () => {
    const { outcome } = ask(at("192.0.2.1", 53), ports, AbortSignal.abort());
    assert.equal((await outcome).kind, "failure");
  });
  await t.step("aborted while waiting", async () => {
    const limit = new AbortController();
    const { outcome } = ask(at("192.0.2.1", 53), ports, limit.signal);
    await settle();
    assert.equal(network.openSockets, 1);
    limit.abort();
    assert.equal((await outcome).kind, "failure");
    assert.equal(network.openSockets, 0);
  });
  await t.step("no socket", async () => {
    const refusing = Object.assign(new FakeNetwork(clock), {
      bindUdp: () => Promise.reject(new Error("too many open files")),
    });
    const { outcome } = ask(at("192.0.2.1", 53), { ...ports, network: refusing });
    assert.deepEqual(await outcome, { kind: "failure", reason: "too many open files" });
  });
});

/** Every letter is upper case, and ids are what they are. */
class AllOnes extends FixedRandom {
  override uint16(): number {
    return 0xffff;
  }
}

function ask(
  server: ReturnType<typeof at>,
  ports: Pick<UdpExchangeOptions, "network" | "clock" | "random">,
  signal = new AbortController().signal,
) {
  let mismatches = 0;
  const outcome = exchangeUdp(server, REQUEST, {
    ...ports,
    form: { edns: "edns", mixCase: false },
    traits: new ServerTraits({ ...ports, caseRandomization: () => false }),
    signal,
    onMismatch: () => mismatches++,
  });
  return { outcome, mismatches: () => mismatches };
}
