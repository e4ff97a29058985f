import assert from "node:assert/strict";
import fc from "fast-check";
import { isIP } from "node:net";
import { parseDhclientLeases } from "./dhclient_leases.ts";

/** As dhclient 4.4.3 writes it. */
const lease = (servers: string, { link = "eth0", more = "", end = "}\n" } = {}) =>
  `lease {
  interface "${link}";
  fixed-address 192.0.2.147;
  option subnet-mask 255.255.255.128;
  option routers 192.0.2.129;
  option dhcp-lease-time 120;
  option domain-name-servers ${servers};
${more}  option domain-name "corp.example";
  renew 3 2026/11/25 09:14:56;
  expire 3 2026/11/25 09:15:59;
${end}`;
const SEARCH = '  option domain-search "corp.example.", "lab.example.";\n';
const LEASE6 = `default-duid "\\000\\001";
lease6 {
  interface "eth0";
  ia-na 2b:01:02:03 {
    starts 1;
    iaaddr 2001:db8::10 {
      starts 1;
    }
  }
  option dhcp6.name-servers 2001:db8::53,2001:db8::54;
  option dhcp6.domain-search "six.example.";
}
`;

Deno.test("parseDhclientLeases() reads the leases in force", async (t) => {
  const cases: [string, string, string[], string[]][] = [
    ["nothing", "", [], []],
    ["one", lease("192.0.2.53,192.0.2.54"), ["192.0.2.53", "192.0.2.54"], ["corp.example"]],
    ["a search list", lease("192.0.2.53", { more: SEARCH }), ["192.0.2.53"], [
      "corp.example",
      "lab.example",
    ]],
    ["renewed", lease("192.0.2.53") + lease("192.0.2.54"), ["192.0.2.54"], ["corp.example"]],
    [
      "two interfaces",
      lease("192.0.2.53") + lease("198.51.100.53", { link: "eth1" }),
      ["198.51.100.53", "192.0.2.53"],
      ["corp.example"],
    ],
    ["cut short", lease("192.0.2.53") + lease("192.0.2.5", { end: "" }), ["192.0.2.53"], [
      "corp.example",
    ]],
    ["IPv6", LEASE6, ["2001:db8::53", "2001:db8::54"], ["six.example"]],
    ["both families", lease("192.0.2.53") + LEASE6, [
      "2001:db8::53",
      "2001:db8::54",
      "192.0.2.53",
    ], ["six.example"]],
    ["no address", lease("dns.example.org, 192.0.2.53"), ["192.0.2.53"], ["corp.example"]],
  ];
  for (const [title, text, nameservers, searchDomains] of cases) {
    await t.step(title, () => {
      assert.deepEqual(parseDhclientLeases(text), { nameservers, searchDomains });
    });
  }
});

Deno.test("parseDhclientLeases() reads any text, and gives nothing but addresses and names", () => {
  const part = fc.constantFrom(
    "lease {\n",
    "lease6 {\n",
    "}\n",
    '  interface "eth0";\n',
    "  option domain-name-servers 192.0.2.1,x;\n",
    '  option domain-search "a..b", "c.";\n',
    "  option domain-name-servers ",
  );
  const text = fc.oneof(fc.string(), fc.array(part).map((parts) => parts.join("")));
  fc.assert(fc.property(text, (text) => {
    const { nameservers, searchDomains } = parseDhclientLeases(text);
    assert.ok(nameservers.every((address) => isIP(address) !== 0));
    assert.ok(searchDomains.every((domain) => domain !== "" && !/[\s"]/.test(domain)));
  }));
});
