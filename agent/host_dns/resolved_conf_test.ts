import assert from "node:assert/strict";
import fc from "fast-check";
import { parseResolvedConf, type ResolvedConf } from "./resolved_conf.ts";

Deno.test("parseResolvedConf() reads which servers to ask", async (t) => {
  const cases: [string, string, Partial<ResolvedConf>][] = [
    ["Debian's own", "#  comment\n[Resolve]\n#DNS=\n#DNSOverTLS=no\n", {
      servers: [],
      domains: [],
      problems: [],
    }],
    ["servers", "[Resolve]\nDNS=192.0.2.1 192.0.2.2:5353#dns.example.org\nDNS=2001:db8::1\n", {
      servers: [
        { address: "192.0.2.1" },
        { address: "192.0.2.2", port: 5353, serverName: "dns.example.org" },
        { address: "2001:db8::1" },
      ],
    }],
    ["an emptied list", "[Resolve]\nDNS=192.0.2.1\nDNS=\nDNS=192.0.2.2\n", {
      servers: [{ address: "192.0.2.2" }],
    }],
    ["spaces, carriage returns", "[Resolve]\r\n DNS = 192.0.2.1 \r\n", {
      servers: [{ address: "192.0.2.1" }],
    }],
    ["a line that goes on", "[Resolve]\nDNS=192.0.2.1 \\\n  192.0.2.2\n", {
      servers: [{ address: "192.0.2.1" }, { address: "192.0.2.2" }],
    }],
    ["domains", "[Resolve]\nDomains=corp.example ~lab.example ~.\n", {
      domains: [
        { domain: "corp.example", routeOnly: false },
        { domain: "lab.example", routeOnly: true },
        { domain: "", routeOnly: true },
      ],
    }],
    ["TLS", "[Resolve]\nDNSOverTLS=true\n", { dnsOverTls: "yes" }],
    ["fallback servers", "[Resolve]\nFallbackDNS=192.0.2.9\n", {
      servers: [],
      fallbackServers: [{ address: "192.0.2.9" }],
    }],
    ["another section", "[Network]\nDNS=192.0.2.1\n[Resolve]\n[Other]\nDNS=192.0.2.2\n", {
      servers: [],
    }],
    ["values that cannot be used", "[Resolve]\nDNS=one 192.0.2.1\nDomains=a..b\n", {
      servers: [{ address: "192.0.2.1" }],
      problems: ['DNS="one" cannot be used', 'Domains="a..b" cannot be used'],
    }],
  ];
  for (const [title, text, expected] of cases) {
    await t.step(title, () => {
      const parsed = parseResolvedConf(text);
      for (const [key, value] of Object.entries(expected)) {
        assert.deepEqual(parsed[key as keyof ResolvedConf], value);
      }
    });
  }
});

Deno.test("parseResolvedConf() goes on where the file before it ended", () => {
  const before = parseResolvedConf("[Resolve]\nDNS=192.0.2.1\nDomains=a.example\nDNSOverTLS=yes\n");
  const after = parseResolvedConf("[Resolve]\nDNS=192.0.2.2\nDomains=\n", before);
  assert.deepEqual(after.servers, [{ address: "192.0.2.1" }, { address: "192.0.2.2" }]);
  assert.deepEqual(after.domains, []);
  assert.equal(after.dnsOverTls, "yes");
  assert.deepEqual(before.servers, [{ address: "192.0.2.1" }]);
});

Deno.test("parseResolvedConf() reads any text", () => {
  const part = fc.constantFrom(
    "[Resolve]\n",
    "DNS=",
    "Domains=~",
    "192.0.2.1",
    " ",
    "\\\n",
    "\n",
    "[",
  );
  const text = fc.oneof(fc.string(), fc.array(part).map((parts) => parts.join("")));
  fc.assert(fc.property(text, (text) => {
    assert.ok(Array.isArray(parseResolvedConf(text).servers));
  }));
});
