import assert from "node:assert/strict";
import { FakeNetwork } from "../../test/support/fake_network.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { answerTo } from "../../test/support/upstream_fixture.ts";
import { AnswerCache } from "../cache/answer_cache.ts";
import { HotCache } from "../cache/hot_cache.ts";
import { formatAddress } from "../dns/ip_address.ts";
import { systemClock } from "../system/clock.ts";
import { silentLog } from "../system/log.ts";
import { systemNetwork, type UdpHandlers } from "../system/network.ts";
import { SystemRandom } from "../system/random.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import { ServerTraits } from "../upstream/server_traits.ts";
import { exchangeUdp } from "../upstream/udp_exchange.ts";
import { exchangeNetwork } from "./exchange_network.ts";
import { FastPath } from "./fast_path.ts";

const HANDLERS: UdpHandlers = { onMessage() {}, onError() {} };

function startFastPath(workers: number): Promise<FastPath> {
  const view = {
    clusterDomain: "cluster.local",
    namespace: "vm",
    searchDomains: [],
    serveAutoAllocated: false,
  };
  return FastPath.start({
    workers,
    cache: new HotCache({
      cache: new AnswerCache(),
      hashOf: () => 0,
      bootOffsetMs: () => 0,
    }).memory,
    clock: systemClock,
    random: new SystemRandom(),
    log: silentLog,
  }, { buffer: buildTable([]).buffer, view });
}

/** Asks over a fast path; tells the answer's address and how many replies were ignored. */
async function ask(fastPath: FastPath | undefined, server: SocketAddress) {
  const ports = {
    network: exchangeNetwork(systemNetwork, () => fastPath),
    clock: systemClock,
    random: new SystemRandom(),
  };
  let mismatches = 0;
  const outcome = await exchangeUdp(server, {
    question: { name: "www.example.org", type: 1, class: 1 },
    dnssecOk: false,
    checkingDisabled: false,
  }, {
    ...ports,
    form: { edns: "edns", mixCase: false },
    traits: new ServerTraits({ ...ports, caseRandomization: () => false }),
    signal: AbortSignal.timeout(5_000),
    onMismatch: () => mismatches++,
  });
  const address = outcome.kind === "answer"
    ? formatAddress(outcome.message.answer.answers[0].rdata)
    : outcome.kind;
  return { address, mismatches };
}

for (const host of ["127.0.0.1", "::1"]) {
  for (const workers of [1, 2]) {
    Deno.test(`exchangeNetwork() asks ${host} by a fast path of ${workers}, and takes only the reply`, async () => {
      const fastPath = await startFastPath(workers);
      let spoofs = 0;
      const spoofer = await systemNetwork.bindUdp({ address: host, port: 0 }, HANDLERS);
      const server = await systemNetwork.bindUdp({ address: host, port: 0 }, {
        onMessage(message, from) {
          for (let i = 0; i < spoofs; i++) {
            spoofer.send(answerTo(message, { data: "203.0.113.6" }), from);
          }
          setTimeout(() => server.send(answerTo(message, { data: "192.0.2.80" }), from), 30);
        },
        onError: assert.fail,
      });
      const address = "192.0.2.80";
      assert.deepEqual(await ask(fastPath, server.local), { address, mismatches: 0 });
      spoofs = 2;
      assert.deepEqual(await ask(fastPath, server.local), { address, mismatches: 2 });
      spoofs = 3;
      assert.deepEqual(await ask(fastPath, server.local), { address: "try TCP", mismatches: 3 });
      spoofs = 0;
      const outcomes = await Promise.all(
        Array.from({ length: 100 }, () => ask(fastPath, server.local)),
      );
      assert.ok(outcomes.every((outcome) => outcome.address === address));
      await fastPath.close();
      assert.deepEqual(await ask(fastPath, server.local), { address, mismatches: 0 }, "without it");
      server.close();
      spoofer.close();
    });
  }
}

Deno.test("exchangeNetwork() leaves to the network what is no exchange", async (t) => {
  const local = { address: "127.0.0.1", port: 0 };
  const fastPath = { bindExchange: () => assert.fail("it was asked") };
  await t.step("a listener", async () => {
    const network = exchangeNetwork(systemNetwork, () => fastPath);
    (await network.bindUdp(local, HANDLERS, { receiveBufferBytes: 65_536 })).close();
  });
  await t.step("where there is no fast path", async () => {
    (await exchangeNetwork(systemNetwork, () => undefined).bindUdp(local, HANDLERS)).close();
  });
  await t.step("a network that is not the kernel's", () => {
    const network = new FakeNetwork(new ManualClock());
    assert.equal(exchangeNetwork(network, () => fastPath), network);
  });
});
