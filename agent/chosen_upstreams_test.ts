import assert from "node:assert/strict";
import { chooseUpstreams, withoutLoops } from "./chosen_upstreams.ts";
import { type Config, configSchema } from "./config/config.ts";
import { formatNameserver, parseNameserver } from "./system/nameserver.ts";
import type { ServerSet } from "./upstream/upstream_servers.ts";

const server = (text: string) => parseNameserver(text)!;
const config = (dns: Record<string, unknown>) =>
  configSchema.parse({ node: { name: "vm-1" }, dns }) as Config;
const HOST = {
  servers: [server("127.0.0.1:15053"), server("192.0.2.53")],
  domains: [
    { domain: "corp.example", servers: [server("tls://198.51.100.2#dns.corp.example")] },
    { domain: "lab.example", servers: [server("198.51.100.3")] },
  ],
  searchDomains: ["corp.example"],
  source: "",
  trace: ["looked everywhere"],
};
const facts = (host = HOST) => ({
  host,
  listeners: [{ address: "127.0.0.1", port: 15053 }],
  interfaces: [],
});
/** A set as `domain: server server`. */
const lines = ({ servers, domains }: ServerSet) =>
  [{ domain: "*", servers }, ...domains].map(({ domain, servers }) =>
    [`${domain}:`, ...servers.map(formatNameserver)].join(" ")
  );

Deno.test("chooseUpstreams() takes the VM's own servers, never the agent, unless told otherwise", async (t) => {
  const cases: [string, Record<string, unknown>, string[]][] = [
    ["nothing configured", {}, [
      "*: 192.0.2.53:53",
      "corp.example: tls://198.51.100.2:853#dns.corp.example",
      "lab.example: 198.51.100.3:53",
    ]],
    ["servers take the place of all", { upstreams: ["tls://203.0.113.1"] }, [
      "*: tls://203.0.113.1:853",
    ]],
    ["domains stand above those of links", { forward: { "corp.example": "203.0.113.2" } }, [
      "*: 192.0.2.53:53",
      "corp.example: 203.0.113.2:53",
      "lab.example: 198.51.100.3:53",
    ]],
    ["both", { upstreams: ["203.0.113.1"], forward: { "a.example": ["203.0.113.2"] } }, [
      "*: 203.0.113.1:53",
      "a.example: 203.0.113.2:53",
    ]],
  ];
  for (const [title, dns, expected] of cases) {
    await t.step(title, () => {
      const { servers, searchDomains, problem } = chooseUpstreams(config(dns), facts());
      assert.deepEqual(lines(servers), expected);
      assert.deepEqual(searchDomains, ["corp.example"]);
      assert.equal(problem, undefined);
    });
  }
});

Deno.test("chooseUpstreams() says where it found nobody, and refuses a loop that is configured", () => {
  const { problem, servers } = chooseUpstreams(
    config({}),
    facts({ ...HOST, servers: [server("127.0.0.1:15053")] }),
  );
  assert.equal(problem!.code, "NO_UPSTREAM");
  assert.match(problem!.message, /looked everywhere/);
  assert.equal(servers.domains.length, 2);
  for (
    const dns of [{ upstreams: ["127.0.0.1:15053"] }, { forward: { a: ["127.0.0.1:15053"] } }]
  ) {
    assert.throws(() => chooseUpstreams(config(dns), facts()), { code: "UPSTREAM_LOOP" });
  }
});

Deno.test("withoutLoops() leaves a server out of every group", () => {
  const set = {
    servers: [server("192.0.2.53"), server("192.0.2.54")],
    domains: [{ domain: "corp.example", servers: [server("192.0.2.53")] }],
  };
  assert.deepEqual(lines(withoutLoops(set, [server("192.0.2.53")])), [
    "*: 192.0.2.54:53",
    "corp.example:",
  ]);
});
