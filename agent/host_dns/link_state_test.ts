import assert from "node:assert/strict";
import fc from "fast-check";
import type { DnsScope } from "./dns_scope.ts";
import { parseNetworkdLink, parseResolvedLinkState } from "./link_state.ts";

const options = { index: "4", source: "test" };

/** Of systemd 257; 252 has no REQUIRED_FAMILY, 247 no ONLINE_STATE, and no newline at its end. */
const NETWORKD_VPN = `# This is private data. Do not parse.
ADMIN_STATE=configured
OPER_STATE=routable
CARRIER_STATE=carrier
ADDRESS_STATE=routable
IPV4_ADDRESS_STATE=routable
IPV6_ADDRESS_STATE=degraded
NETDEV_FILE=/etc/systemd/network/05-vpn.netdev
NETDEV_FILE_DROPINS=""
ONLINE_STATE=online
REQUIRED_FOR_ONLINE=yes
ACTIVATION_POLICY=up
NETWORK_FILE=/etc/systemd/network/20-vpn0.network
NETWORK_FILE_DROPINS=""
DNS=198.51.100.53:5353#dns.example.org fe80::1%4 198.51.100.54
NTP=
SIP=
DOMAINS=hr.example
ROUTE_DOMAINS=vpn.example 10.in-addr.arpa
LLMNR=yes
MDNS=no
DNS_DEFAULT_ROUTE=no
DNS_OVER_TLS=yes
DHCP6_CLIENT_DUID=DUID-EN/Vendor:0000ab11820b186135084417
`;

/** Of systemd 252 and 257; 247 leaves DNSOVERTLS out. */
const RESOLVED_LINK = `# This is private data. Do not parse.
LLMNR=yes
MDNS=yes
DNSOVERTLS=opportunistic
DEFAULT_ROUTE=yes
SERVERS=203.0.113.53 203.0.113.54#dns.example.org fe80::9%6
DOMAINS=lan.example ~corp.example ~.
`;

const VPN: DnsScope = {
  source: "test",
  link: 4,
  servers: [
    { address: "198.51.100.53", port: 5353, serverName: "dns.example.org" },
    { address: "fe80::1%4" },
    { address: "198.51.100.54" },
  ],
  domains: [
    { domain: "hr.example", routeOnly: false },
    { domain: "vpn.example", routeOnly: true },
    { domain: "10.in-addr.arpa", routeOnly: true },
  ],
  defaultRoute: false,
  dnsOverTls: "yes",
};

Deno.test("parseNetworkdLink() reads a link of systemd-networkd", async (t) => {
  const plain = "OPER_STATE=routable\nDNS=192.0.2.53 2001:db8::53\nDOMAINS=\nROUTE_DOMAINS=\n";
  const cases: [string, string, DnsScope | undefined][] = [
    ["a VPN", NETWORKD_VPN, VPN],
    ["no newline at the end", NETWORKD_VPN.trimEnd(), VPN],
    ["a plain link", plain, {
      source: "test",
      link: 4,
      servers: [{ address: "192.0.2.53" }, { address: "2001:db8::53" }],
      domains: [],
    }],
    ["quoted", 'DNS="192.0.2.53"\n', {
      source: "test",
      link: 4,
      servers: [{ address: "192.0.2.53" }],
      domains: [],
    }],
    ["a link-local server without a zone", "DNS=fe80::1\n", {
      source: "test",
      link: 4,
      servers: [{ address: "fe80::1%4" }],
      domains: [],
    }],
    ["no carrier", plain.replace("routable", "no-carrier"), undefined],
    ["switched off", plain.replace("routable", "off"), undefined],
    ["of somebody else", "ADMIN_STATE=unmanaged\nOPER_STATE=carrier\n", undefined],
    ["no server", "OPER_STATE=routable\nDNS=\nDOMAINS=corp.example\n", undefined],
    ["no server that can be used", "OPER_STATE=routable\nDNS=dns.example.org\n", undefined],
    ["empty", "", undefined],
  ];
  for (const [title, text, expected] of cases) {
    await t.step(title, () => assert.deepEqual(parseNetworkdLink(text, options), expected));
  }
});

Deno.test("parseResolvedLinkState() reads a link that systemd-resolved was told about", async (t) => {
  const expected: DnsScope = {
    source: "test",
    link: 4,
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
  };
  const { dnsOverTls: _, ...without } = expected;
  const cases: [string, string, DnsScope | undefined][] = [
    ["systemd 257", RESOLVED_LINK, expected],
    ["systemd 247", RESOLVED_LINK.replace("DNSOVERTLS=opportunistic\n", ""), without],
    ["no server", "LLMNR=no\nDOMAINS=lan.example\n", undefined],
    ["a bad domain", "SERVERS=192.0.2.53\nDOMAINS=a..b\n", {
      source: "test",
      link: 4,
      servers: [{ address: "192.0.2.53" }],
      domains: [],
    }],
  ];
  for (const [title, text, expected] of cases) {
    await t.step(title, () => assert.deepEqual(parseResolvedLinkState(text, options), expected));
  }
});

Deno.test("parseNetworkdLink() and parseResolvedLinkState() read any text", () => {
  const line = fc.constantFrom(
    "DNS=192.0.2.1",
    "SERVERS=",
    "DNS=x",
    'DOMAINS="a',
    "ROUTE_DOMAINS=~ . a..b",
    "DNS_OVER_TLS=\\",
    "=",
    "\0",
  );
  const text = fc.oneof(fc.string(), fc.array(line).map((lines) => lines.join("\n")));
  fc.assert(fc.property(text, (text) => {
    for (const parse of [parseNetworkdLink, parseResolvedLinkState]) {
      const scope = parse(text, options);
      assert.ok(scope === undefined || scope.servers.length > 0);
    }
  }));
});
