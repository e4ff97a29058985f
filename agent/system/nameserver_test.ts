import assert from "node:assert/strict";
import { formatNameserver, parseNameserver } from "./nameserver.ts";

Deno.test("parseNameserver() reads addresses, ports and DNS over TLS", async (t) => {
  const cases: [string, string | undefined][] = [
    ["192.0.2.53", "192.0.2.53:53"],
    ["192.0.2.53:5353", "192.0.2.53:5353"],
    ["2001:db8::53", "[2001:db8::53]:53"],
    ["fe80::1%eth0", "[fe80::1%eth0]:53"],
    ["tls://192.0.2.53", "tls://192.0.2.53:853"],
    ["tls://192.0.2.53#dns.example.org", "tls://192.0.2.53:853#dns.example.org"],
    ["tls://[2001:db8::53]:8853#dns.example.org", "tls://[2001:db8::53]:8853#dns.example.org"],
    ["tls://dns.example.org", undefined],
    ["tls://192.0.2.53#", undefined],
    ["tls://192.0.2.53#a b", undefined],
    ["tls://192.0.2.53#a#b", undefined],
    ["192.0.2.53#dns.example.org", undefined],
    ["https://192.0.2.53", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    await t.step(text, () => {
      const nameserver = parseNameserver(text);
      assert.equal(nameserver && formatNameserver(nameserver), expected);
    });
  }
});
