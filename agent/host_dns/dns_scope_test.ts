import assert from "node:assert/strict";
import fc from "fast-check";
import { formatNameserver, parseNameserver } from "../system/nameserver.ts";
import {
  combineScopes,
  type DnsScope,
  parseDnsOverTls,
  parseScopeDomain,
  parseScopeServer,
  type ScopeServer,
} from "./dns_scope.ts";

Deno.test("parseScopeServer() reads what systemd writes", async (t) => {
  const cases: [string, ScopeServer | undefined][] = [
    ["192.0.2.53", { address: "192.0.2.53" }],
    ["192.0.2.53:5353", { address: "192.0.2.53", port: 5353 }],
    ["192.0.2.53#dns.example.org", { address: "192.0.2.53", serverName: "dns.example.org" }],
    ["192.0.2.53:5353%eth0#dns.example.org", {
      address: "192.0.2.53",
      port: 5353,
      serverName: "dns.example.org",
    }],
    ["2001:db8::53", { address: "2001:db8::53" }],
    ["[2001:db8::53]:5353#dns.example.org", {
      address: "2001:db8::53",
      port: 5353,
      serverName: "dns.example.org",
    }],
    ["fe80::1", { address: "fe80::1%7" }],
    ["fe80::1%4", { address: "fe80::1%4" }],
    ["fe80::1%eth0", { address: "fe80::1%eth0" }],
    ["[fe80::1]:5353%eth0", { address: "fe80::1%eth0", port: 5353 }],
    ["2001:db8::53%4", { address: "2001:db8::53" }],
    ["192.0.2.53:0", undefined],
    ["192.0.2.53:65536", undefined],
    ["192.0.2.53:", undefined],
    ["192.0.2", undefined],
    ["fe80::1%", undefined],
    ["fe80::1%a b", undefined],
    ["192.0.2.53#", undefined],
    ["192.0.2.53#a b", undefined],
    ["[192.0.2.53]:53", undefined],
    ["dns.example.org", undefined],
    ["", undefined],
  ];
  for (const [text, expected] of cases) {
    await t.step(text, () => assert.deepEqual(parseScopeServer(text, { zone: "7" }), expected));
  }
});

Deno.test("parseScopeServer() reads any text, and gives nothing but nameservers", () => {
  const word = fc.constantFrom(
    "192.0.2.53",
    "fe80::1",
    "2001:db8::1",
    ":53",
    "%4",
    "#a.b",
    "[",
    "]",
  );
  const text = fc.oneof(fc.string(), fc.array(word).map((words) => words.join("")));
  fc.assert(fc.property(text, (text) => {
    const server = parseScopeServer(text);
    if (server === undefined) return;
    const [nameserver] = combineScopes([scope({ servers: [server], dnsOverTls: "yes" })]).servers;
    assert.deepEqual(parseNameserver(formatNameserver(nameserver)), nameserver);
  }));
});

Deno.test("parseScopeDomain() tells routing domains from search domains", () => {
  assert.deepEqual(parseScopeDomain("Corp.Example."), { domain: "corp.example", routeOnly: false });
  assert.deepEqual(parseScopeDomain("~corp.example"), { domain: "corp.example", routeOnly: true });
  assert.deepEqual(parseScopeDomain("~."), { domain: "", routeOnly: true });
  for (const text of ["", "~", "a..b", "~a..b"]) assert.equal(parseScopeDomain(text), undefined);
});

Deno.test("parseDnsOverTls() reads modes and booleans", () => {
  const cases: [string | undefined, string | undefined][] = [
    ["yes", "yes"],
    ["True", "yes"],
    ["1", "yes"],
    ["off", "no"],
    ["opportunistic", "opportunistic"],
    ["", undefined],
    ["maybe", undefined],
    [undefined, undefined],
  ];
  for (const [text, expected] of cases) assert.equal(parseDnsOverTls(text), expected);
});

function scope(
  { servers = [{ address: "192.0.2.53" }], ...rest }: Partial<DnsScope> & { domain?: string },
): DnsScope {
  return { source: "test", servers, domains: [], ...rest };
}

/** A scope of one server and domains in systemd's spelling. */
function link(address: string, domains = "", rest: Partial<DnsScope> = {}): DnsScope {
  return scope({
    servers: [parseScopeServer(address)!],
    domains: domains.split(" ").flatMap((text) => parseScopeDomain(text) ?? []),
    ...rest,
  });
}

Deno.test("combineScopes() sends names where systemd-resolved would", async (t) => {
  const [lan, vpn, third] = ["192.0.2.1", "198.51.100.1", "203.0.113.1"];
  /** Servers of all names; domains; search domains. */
  const cases: [string, DnsScope[], string[], Record<string, string[]>, string[]][] = [
    ["nothing", [], [], {}, []],
    ["a link with a search domain", [link(lan, "corp.example")], [lan], {}, ["corp.example"]],
    ["two default routes", [link(lan), link(vpn)], [lan, vpn], {}, []],
    ["the same server twice", [link(lan), link(lan)], [lan], {}, []],
    ["a VPN with routing domains", [link(lan), link(vpn, "~vpn.example ~10.in-addr.arpa")], [lan], {
      "vpn.example": [vpn],
      "10.in-addr.arpa": [vpn],
    }, []],
    [
      "a VPN with a search domain among them",
      [link(lan), link(vpn, "hr.example ~vpn.example")],
      [
        lan,
      ],
      { "hr.example": [vpn], "vpn.example": [vpn] },
      ["hr.example"],
    ],
    ["a VPN for everything (~.)", [link(lan, "corp.example"), link(vpn, "~.")], [vpn], {
      "corp.example": [lan],
    }, ["corp.example"]],
    [
      "no default route, said so",
      [link(lan), link(vpn, "hr.example", { defaultRoute: false })],
      [
        lan,
      ],
      { "hr.example": [vpn] },
      ["hr.example"],
    ],
    [
      "a default route, said so",
      [link(lan, "~corp.example", { defaultRoute: true })],
      [lan],
      {},
      [],
    ],
    ["nobody for other names", [link(vpn, "~vpn.example")], [], { "vpn.example": [vpn] }, []],
    [
      "a domain of two links",
      [link(lan), link(vpn, "~a.example"), link(third, "~a.example")],
      [
        lan,
      ],
      { "a.example": [vpn, third] },
      [],
    ],
    [
      "a domain below another's that goes where all else goes",
      [link(lan, "a.vpn.example"), link(vpn, "~vpn.example")],
      [lan],
      { "a.vpn.example": [lan], "vpn.example": [vpn] },
      ["a.vpn.example"],
    ],
    [
      "a domain below two others, the nearer of which goes where it goes",
      [link(lan), link(vpn, "~example"), link(third, "~vpn.example ~a.vpn.example")],
      [lan],
      { "example": [vpn], "vpn.example": [third] },
      [],
    ],
    [
      "a link without a server",
      [link(lan), scope({ servers: [], ...domains("hr.example") })],
      [
        lan,
      ],
      {},
      ["hr.example"],
    ],
  ];
  for (const [title, scopes, servers, byDomain, searchDomains] of cases) {
    await t.step(title, () => {
      const texts = (list: { address: { address: string } }[]) =>
        list.map(({ address }) => address.address);
      const combined = combineScopes(scopes);
      assert.deepEqual(texts(combined.servers), servers);
      assert.deepEqual(
        Object.fromEntries(combined.domains.map(({ domain, servers }) => [domain, texts(servers)])),
        byDomain,
      );
      assert.deepEqual(combined.searchDomains, searchDomains);
    });
  }
});

function domains(text: string): Pick<DnsScope, "domains"> {
  return { domains: text.split(" ").map((word) => parseScopeDomain(word)!) };
}

Deno.test("combineScopes() never asks without TLS what is to be asked over TLS", async (t) => {
  const cases: [string, string, DnsScope["dnsOverTls"], DnsScope["dnsOverTls"], string][] = [
    ["no", "192.0.2.1#dns.example.org", "no", "no", "192.0.2.1:53"],
    ["opportunistic", "192.0.2.1#dns.example.org", "opportunistic", "no", "192.0.2.1:53"],
    ["yes", "192.0.2.1#dns.example.org", "yes", "no", "tls://192.0.2.1:853#dns.example.org"],
    ["yes, no name", "192.0.2.1", "yes", "no", "tls://192.0.2.1:853"],
    ["yes on the whole machine", "192.0.2.1", undefined, "yes", "tls://192.0.2.1:853"],
    ["a link that says no", "192.0.2.1", "no", "yes", "192.0.2.1:53"],
    ["a port", "192.0.2.1:8853", "yes", "no", "tls://192.0.2.1:8853"],
    ["the plain port", "192.0.2.1:53", "yes", "no", "tls://192.0.2.1:853"],
    [
      "the port of TLS",
      "192.0.2.1:853#dns.example.org",
      "opportunistic",
      "no",
      "tls://192.0.2.1:853#dns.example.org",
    ],
  ];
  for (const [title, server, ofScope, ofMachine, expected] of cases) {
    await t.step(title, () => {
      const scopes = [link(server, "", ofScope === undefined ? {} : { dnsOverTls: ofScope })];
      assert.deepEqual(combineScopes(scopes, ofMachine).servers.map(formatNameserver), [expected]);
    });
  }
});
