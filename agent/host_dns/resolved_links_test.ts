import assert from "node:assert/strict";
import {
  AUTHENTICATED,
  EMPTY_LINK,
  ERROR,
  FakeSystemBus,
  HELLO,
  LINK,
  SERVERS,
} from "../../test/support/fake_system_bus.ts";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import type { DbusValue } from "./dbus_message.ts";
import { readResolvedLinks, scopeOfLink } from "./resolved_links.ts";

Deno.test("readResolvedLinks() asks systemd-resolved about its links", async () => {
  // The links of SERVERS in order: 1 (the agent's own, on lo), 2, 4, 6, 8.
  const replies = [AUTHENTICATED, HELLO, SERVERS, EMPTY_LINK, EMPTY_LINK, EMPTY_LINK, LINK];
  for (const chunk of [1000, 7]) {
    const bus = new FakeSystemBus([...replies, EMPTY_LINK], chunk);
    const paths: string[] = [];
    const connectLocal = (path: string) => {
      paths.push(path);
      return Promise.resolve(bus);
    };
    const scopes = await readResolvedLinks({ connectLocal, clock: new ManualClock() });
    assert.deepEqual(scopes, [{
      source: "link 6 of systemd-resolved",
      link: 6,
      servers: [
        { address: "203.0.113.53" },
        { address: "203.0.113.54", serverName: "dns.example.org" },
        { address: "fe80::9%6" },
      ],
      domains: [
        { domain: "lan.example", routeOnly: false },
        { domain: "corp.example", routeOnly: true },
        { domain: "", routeOnly: true },
      ],
      defaultRoute: true,
      dnsOverTls: "opportunistic",
    }]);
    assert.deepEqual(paths, ["/run/dbus/system_bus_socket"]);
    assert.equal(bus.written.length, replies.length + 1);
    assert.ok(bus.written[6].includes("/org/freedesktop/resolve1/link/_36\0"));
    assert.ok(bus.isClosed);
  }
});

Deno.test("readResolvedLinks() says why it cannot tell", async (t) => {
  const cases: [string, (string | Uint8Array<ArrayBuffer> | undefined)[], RegExp][] = [
    ["not let in", ["REJECTED EXTERNAL\r\n"], /refuses: "REJECTED EXTERNAL"/],
    ["not a bus", [AUTHENTICATED, "xxxxxxxxxxxxxxxxxxxxxxxx"], /malformed/],
    [
      "resolved does not run",
      [AUTHENTICATED, HELLO, ERROR],
      /org\.freedesktop\.resolve1 refuses Get: a\.b\.cc/,
    ],
    ["no answer", [AUTHENTICATED, undefined], /does not answer/],
  ];
  for (const [title, replies, expected] of cases) {
    await t.step(title, async () => {
      const clock = new ManualClock();
      const bus = new FakeSystemBus(replies);
      const found = readResolvedLinks({ connectLocal: () => Promise.resolve(bus), clock });
      const refused = assert.rejects(found, expected);
      await settle();
      await clock.advance(2_000);
      await refused;
      assert.ok(bus.isClosed);
      assert.equal(clock.pendingCount, 0);
    });
  }
});

Deno.test("scopeOfLink() reads a link's properties", async (t) => {
  const server: DbusValue = [2, Uint8Array.of(192, 0, 2, 1), 0, ""];
  const cases: [string, Record<string, DbusValue>, string[] | undefined][] = [
    ["a server", { DNSEx: [server] }, ["192.0.2.1"]],
    ["in use", { DNSEx: [server], ScopesMask: 7 }, ["192.0.2.1"]],
    ["not in use: no carrier", { DNSEx: [server], ScopesMask: 6 }, undefined],
    ["no server", { DNSEx: [] }, undefined],
    ["no such property", {}, undefined],
    ["another shape", { DNSEx: [1, "a", [2, "x"], [2, Uint8Array.of(1)]], Domains: 3 }, undefined],
  ];
  for (const [title, properties, expected] of cases) {
    await t.step(title, () => {
      const scope = scopeOfLink(2, new Map(Object.entries(properties)));
      assert.deepEqual(scope?.servers.map(({ address }) => address), expected);
    });
  }
});
