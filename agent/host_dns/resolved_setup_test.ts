import assert from "node:assert/strict";
import { MemoryFiles } from "../../test/support/memory_files.ts";
import { formatNameserver } from "../system/nameserver.ts";
import type { DnsScope } from "./dns_scope.ts";
import { readResolvedSetup } from "./resolved_setup.ts";
import { SetupFiles } from "./setup_files.ts";

const LINKS: DnsScope[] = [
  { source: "link 2", servers: [{ address: "192.0.2.53" }], domains: [], defaultRoute: true },
  {
    source: "link 3",
    servers: [{ address: "198.51.100.53" }, { address: "127.0.0.1", port: 15053 }],
    domains: [{ domain: "vpn.example", routeOnly: true }],
    defaultRoute: false,
    dnsOverTls: "no",
  },
];
const TLS = { "/etc/systemd/resolved.conf": "[Resolve]\nDNSOverTLS=yes\n" };
const DROP_IN = {
  "/run/systemd/resolved.conf.d/outrigger.conf":
    "[Resolve]\nDNS=127.0.0.1:15053\nDNSOverTLS=no\nDomains=cluster.local ~.\n",
};

Deno.test("readResolvedSetup() takes links as D-Bus tells them", async (t) => {
  const told = () => Promise.resolve(LINKS);
  const untold = () => Promise.reject(new Error("no such socket"));
  /** Servers of all names, and of vpn.example. */
  const cases: [string, Record<string, string>, () => Promise<DnsScope[]>, string[], string[]][] = [
    ["the links", {}, told, ["192.0.2.53:53"], ["198.51.100.53:53"]],
    ["one that is told to do without TLS", TLS, told, ["tls://192.0.2.53:853"], [
      "198.51.100.53:53",
    ]],
    ["the same, while our drop-in says so to all", { ...TLS, ...DROP_IN }, told, [
      "tls://192.0.2.53:853",
    ], ["tls://198.51.100.53:853"]],
    ["no bus: the files", {}, untold, ["192.0.2.66:53"], []],
  ];
  for (const [title, texts, links, servers, vpn] of cases) {
    await t.step(title, async () => {
      const files = new MemoryFiles({
        "/run/systemd/netif/links/2": "OPER_STATE=routable\nDNS=192.0.2.66\n",
        ...texts,
      });
      const setup = new SetupFiles({ files, exclude: [{ address: "127.0.0.1", port: 15053 }] });
      const found = await readResolvedSetup(setup, { resolvedLinks: links });
      assert.deepEqual(found.servers.map(formatNameserver), servers);
      assert.deepEqual(found.domains.flatMap(({ servers }) => servers.map(formatNameserver)), vpn);
      assert.equal(found.forwardsHere, texts !== TLS && Object.keys(texts).length > 0);
      const failure = "systemd-resolved on D-Bus: no such socket";
      assert.equal(setup.trace.includes(failure), links === untold);
    });
  }
});
