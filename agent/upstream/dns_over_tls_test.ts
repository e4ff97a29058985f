/** DNS over TLS with real sockets and real certificates. */
import assert from "node:assert/strict";
import { TlsNameServer, type TlsNameServerOptions } from "../../test/support/tls_name_server.ts";
import { answerTo } from "../../test/support/upstream_fixture.ts";
import { systemClock } from "../system/clock.ts";
import { silentLog } from "../system/log.ts";
import { type MessageStreamHandlers, type Network, systemNetwork } from "../system/network.ts";
import { SystemRandom } from "../system/random.ts";
import { UpstreamServers } from "./upstream_servers.ts";

const NAMES: TlsNameServerOptions["names"] = [{ type: "dns", value: "dns.example.org" }];

class Fixture {
  readonly upstream: UpstreamServers;
  readonly #closed: Promise<void>[] = [];
  /** Sockets that were opened, by kind. */
  readonly opened: string[] = [];

  constructor(
    server: TlsNameServer,
    { serverName = "dns.example.org", roots = [server.root] } = {},
  ) {
    const network: Network = {
      ...systemNetwork,
      bindUdp: (...parameters) => {
        this.opened.push("udp");
        return systemNetwork.bindUdp(...parameters);
      },
      connectTcp: (...parameters) => {
        this.opened.push("tcp");
        return systemNetwork.connectTcp(...parameters);
      },
      connectTls: async (remote, handlers, options) => {
        this.opened.push("tls");
        const { promise, resolve } = Promise.withResolvers<void>();
        const watched: MessageStreamHandlers = {
          ...handlers,
          onClose: (error) => {
            handlers.onClose(error);
            resolve();
          },
        };
        const stream = await systemNetwork.connectTls(remote, watched, options);
        this.#closed.push(promise);
        return stream;
      },
    };
    this.upstream = new UpstreamServers({
      network,
      clock: systemClock,
      random: new SystemRandom(),
      log: silentLog,
      roots,
    });
    this.upstream.replaceServers({
      servers: [{ address: server.address, tls: { serverName } }],
      domains: [],
    });
  }

  ask(name: string) {
    const question = { name, type: 1, class: 1 };
    return this.upstream.exchange({ question, dnssecOk: false, checkingDisabled: false });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.upstream.close();
    await Promise.all(this.#closed);
  }
}

Deno.test("DNS over TLS: many questions on one connection", async () => {
  using server = await TlsNameServer.start({
    names: NAMES,
    onMessage: ({ message, reply }) => reply(answerTo(message, { data: "192.0.2.80" })),
  });
  await using fixture = new Fixture(server);
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, i) => fixture.ask(`n${i}.example.org`)),
  );
  outcomes.push(await fixture.ask("later.example.org"));
  assert.ok(outcomes.every(({ kind }) => kind === "answer"));
  assert.equal(server.connections, 1);
});

Deno.test("DNS over TLS: a server that restarted is connected to again", async () => {
  using server = await TlsNameServer.start({
    names: NAMES,
    onMessage: ({ message, connection, reply, close }) => {
      reply(answerTo(message, { data: "192.0.2.80" }));
      if (connection === 1) setTimeout(close, 5);
    },
  });
  await using fixture = new Fixture(server);
  for (let i = 0; i < 2; i++) {
    assert.equal((await fixture.ask(`n${i}.example.org`)).kind, "answer");
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
  assert.equal(server.connections, 2);
});

Deno.test("DNS over TLS: a server that does not prove its name is told nothing, by no way", async (t) => {
  const cases: [string, { serverName?: string; roots?: string[] }, RegExp][] = [
    ["another name", { serverName: "other.example.org" }, /by TLS: .*other\.example\.org/],
    ["an unknown root", { roots: [] }, /by TLS: unable to verify/],
  ];
  for (const [title, options, reason] of cases) {
    await t.step(title, async () => {
      let messages = 0;
      using server = await TlsNameServer.start({ names: NAMES, onMessage: () => messages++ });
      await using fixture = new Fixture(server, options);
      const outcome = await fixture.ask("www.example.org");
      assert.ok(outcome.kind === "failure");
      assert.match(outcome.reason, reason);
      assert.equal(messages, 0);
      assert.deepEqual([...new Set(fixture.opened)], ["tls"]);
    });
  }
});
