import assert from "node:assert/strict";
import { answerMessage, readMessage } from "../test/support/dns_messages.ts";
import { FakeNetwork, type FakeServer } from "../test/support/fake_network.ts";
import { FixedRandom } from "../test/support/fixed_random.ts";
import { ManualClock } from "../test/support/manual_clock.ts";
import type { UdpHandlers, UdpSocket } from "./system/network.ts";
import type { ServiceNotice } from "./system/service_manager.ts";
import { formatSocketAddress, type SocketAddress } from "./system/socket_address.ts";
import { SELF_QUERY_MS, Watchdog } from "./watchdog.ts";

const IPV4 = { address: "127.0.0.1", port: 15053 };
const IPV6 = { address: "::1", port: 15053 };
/** Of a bridge, which may be gone: what is sent there goes elsewhere. */
const BRIDGE = { address: "192.0.2.1", port: 15053 };
const PERIOD_MS = 3_000;

const answers: FakeServer = ({ message, reply }) => {
  const { id, questions } = readMessage(message);
  assert.deepEqual(questions!.map(({ name, type }) => `${name} ${type}`), ["localhost A"]);
  reply(answerMessage({ id, name: "localhost", questionType: "A" }));
};
const changed = (change: (answer: Uint8Array) => void): FakeServer => ({ message, reply }) => {
  const answer = answerMessage({
    id: readMessage(message).id,
    name: "localhost",
    questionType: "A",
  }).slice();
  change(answer);
  reply(answer);
};

/** A network of which some addresses cannot be sent to, as when they were taken from the machine. */
class PartialNetwork extends FakeNetwork {
  readonly unreachable = new Set<string>();

  override async bindUdp(local: SocketAddress, handlers: UdpHandlers): Promise<UdpSocket> {
    const socket = await super.bindUdp(local, handlers);
    return {
      ...socket,
      send: (message, to) => {
        if (!this.unreachable.has(to.address)) socket.send(message, to);
        else handlers.onError(new Error("EADDRNOTAVAIL"));
      },
    };
  }
}

function make(listening: SocketAddress[], servers: Record<string, FakeServer>) {
  const clock = new ManualClock();
  const network = new PartialNetwork(clock);
  for (const [address, server] of Object.entries(servers)) network.serve(address, server);
  const notices: ServiceNotice[] = [];
  const watchdog = new Watchdog({
    network,
    clock,
    random: new FixedRandom(),
    service: { watchdogMs: PERIOD_MS, notify: (notice) => void notices.push(notice) },
    addresses: () => listening,
    status: () => "Serving DNS",
  });
  const stop = new AbortController();
  const ended = watchdog.run(stop.signal);
  const events = () => notices.map(({ event }) => event);
  return { clock, network, notices, events, stop: () => (stop.abort(), ended) };
}

Deno.test("Watchdog.run() tells of what was answered, and of nothing else", async (t) => {
  const [v4, v6] = [IPV4, IPV6].map(formatSocketAddress);
  const cases: [string, SocketAddress[], Record<string, FakeServer>, boolean][] = [
    ["one listener answers", [IPV4], { [v4]: answers }, true],
    ["all listeners answer", [IPV4, IPV6], { [v4]: answers, [v6]: answers }, true],
    ["nobody answers", [IPV4], {}, false],
    ["one of two is silent", [IPV4, IPV6], { [v4]: answers }, false],
    ["one that others can reach is silent", [IPV4, BRIDGE], { [v4]: answers }, true],
    ["there is but one that others can reach, and it is silent", [BRIDGE], {}, false],
    ["the answer is to another question", [IPV4], { [v4]: changed((a) => a[1] ^= 1) }, false],
    ["it is no answer", [IPV4], { [v4]: changed((a) => a[2] &= 0x7f) }, false],
    ["it is a failure", [IPV4], { [v4]: changed((a) => a[3] |= 2) }, false],
    ["it is cut short", [IPV4], { [v4]: ({ reply }) => reply(Uint8Array.of(0, 1)) }, false],
    ["the answer is late", [IPV4], {
      [v4]: ({ message, reply }) =>
        reply(
          answerMessage({ id: readMessage(message).id, name: "localhost", questionType: "A" }),
          {
            delayMs: SELF_QUERY_MS + 1,
          },
        ),
    }, false],
    ["nothing is served", [], {}, false],
    ["a listener on all addresses", [{ address: "0.0.0.0", port: 53 }], {
      "127.0.0.1:53": answers,
    }, true],
    ["a listener on all IPv6 addresses", [{ address: "::", port: 53 }], {
      "[::1]:53": answers,
    }, true],
  ];
  for (const [title, listening, servers, isWell] of cases) {
    await t.step(title, async () => {
      const { clock, network, notices, events, stop } = make(listening, servers);
      await clock.advance(PERIOD_MS);
      assert.deepEqual(events().slice(0, 3), isWell ? ["ready", "alive", "alive"] : []);
      if (isWell) assert.equal(notices[0].status, "Serving DNS");
      await stop();
      assert.equal(network.openSockets, 0);
    });
  }
});

Deno.test("Watchdog.run() passes over an address that cannot be sent to, unless it is the only one", async () => {
  const { clock, network, events, stop } = make([IPV4, IPV6], {
    [formatSocketAddress(IPV4)]: answers,
  });
  network.unreachable.add(IPV6.address);
  await clock.advance(SELF_QUERY_MS);
  assert.deepEqual(events(), ["ready"]);
  network.unreachable.add(IPV4.address);
  await clock.advance(10 * PERIOD_MS);
  assert.deepEqual(events(), ["ready"]);
  network.unreachable.delete(IPV4.address);
  await clock.advance(SELF_QUERY_MS);
  assert.deepEqual(events(), ["ready", "alive"]);
  await stop();
});

Deno.test("Watchdog.run() asks on until one question gets through", async () => {
  let asked = 0;
  const { clock, events, stop } = make([IPV4], {
    [formatSocketAddress(IPV4)]: (received) => {
      if (++asked >= 8) answers(received);
    },
  });
  await clock.advance(7 * SELF_QUERY_MS);
  assert.deepEqual([asked, events()], [8, ["ready"]]);
  await stop();
});

Deno.test("Watchdog.run() falls silent when the agent does, and not before", async () => {
  let dead = false;
  const { clock, events, stop } = make([IPV4], {
    [formatSocketAddress(IPV4)]: (received) => {
      if (!dead) answers(received);
    },
  });
  await clock.advance(10 * PERIOD_MS);
  const before = events().length;
  // Three times a period, so that one that comes late does not cost the process.
  assert.equal(before, 1 + 30);
  dead = true;
  await clock.advance(10 * PERIOD_MS);
  assert.equal(events().length, before);
  await stop();
});
