import assert from "node:assert/strict";
import { answerLines } from "../../test/support/dns_messages.ts";
import { externalEntry, serviceEntry } from "../../test/support/host_entries.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { parseType } from "../dns/codes.ts";
import { parseRange } from "../dns/ip_address.ts";
import { lookupMesh, meshSearchDomains, type MeshView } from "./mesh_lookup.ts";

const PORTS = { ports: [{ name: "http", protocol: "tcp" as const, port: 9080 }] };

const { table } = buildTable([
  serviceEntry("productpage.ns1", ["10.0.0.1"], PORTS),
  serviceEntry("dual.ns1", ["10.0.0.2", "2001:db8::2"], PORTS),
  serviceEntry("ledger.bank", ["10.0.0.3"], PORTS),
  serviceEntry("pod-0.db.ns1", ["10.1.0.1"], PORTS),
  serviceEntry("vpn.ns1", ["10.0.0.4"], PORTS),
  externalEntry("api.example.org", ["192.0.2.1", "192.0.2.2", "192.0.2.3"]),
  externalEntry("single", ["192.0.2.8"]),
  externalEntry("*.wild.example", ["192.0.2.4"], { altHosts: ["wild.alias.example"] }),
  externalEntry("known.wild.example", ["192.0.2.5"]),
  externalEntry("db.vip.example", ["240.240.0.1", "2001:2::1"]),
  externalEntry("*.vip.example", ["192.0.2.6"]),
  externalEntry("mixed.example", ["240.240.0.2", "192.0.2.7"]),
  externalEntry("alias.example", ["192.0.2.9"], { altHosts: ["other.example"] }),
], { vipRanges: [parseRange("240.240.0.0/16")!, parseRange("2001:2::/48")!] });

const view: MeshView = {
  clusterDomain: "cluster.local",
  namespace: "ns1",
  searchDomains: [
    ...meshSearchDomains({ namespace: "ns1", clusterDomain: "cluster.local" }),
    "corp.example",
    "lab.corp.example",
  ],
  serveAutoAllocated: true,
};

/** The answer as lines `section name ttl type data`, or what becomes of the question else. */
function ask(name: string, type = "A", overrides: Partial<MeshView> = {}, rotation = 0): string[] {
  const question = { name, type: parseType(type)! };
  const outcome = lookupMesh({ table, view: { ...view, ...overrides } }, question, rotation);
  return outcome.kind === "answer"
    ? answerLines(outcome.answer)
    : [outcome.afterNxdomain ? "after NXDOMAIN" : "pass"];
}

const PRODUCTPAGE = "productpage.ns1.svc.cluster.local";
const soa = (zone: string) => `authority ${zone} 5 SOA ns.${zone}`;

Deno.test("lookupMesh() answers addresses in every form of a name", async (t) => {
  const cases: [string, string, string[]][] = [
    [PRODUCTPAGE, "A", [`answer ${PRODUCTPAGE} 30 A 10.0.0.1`]],
    ["productpage.ns1.svc", "A", ["answer productpage.ns1.svc 30 A 10.0.0.1"]],
    ["productpage.ns1", "A", ["answer productpage.ns1 30 A 10.0.0.1"]],
    ["productpage", "A", ["answer productpage 30 A 10.0.0.1"]],
    ["ledger.bank", "A", ["answer ledger.bank 30 A 10.0.0.3"]],
    ["ledger", "A", ["pass"]],
    ["pod-0.db", "A", ["answer pod-0.db 30 A 10.1.0.1"]],
    ["pod-0.db.ns1.svc.cluster.local", "A", [
      "answer pod-0.db.ns1.svc.cluster.local 30 A 10.1.0.1",
    ]],
    ["dual.ns1", "AAAA", ["answer dual.ns1 30 AAAA 2001:db8::2"]],
    ["other.example", "A", ["answer other.example 30 A 192.0.2.9"]],
    ["single", "A", ["answer single 30 A 192.0.2.8"]],
    ["unknown.example.org", "A", ["pass"]],
    ["productpage.ns2.svc.cluster.local", "A", ["pass"]],
    ["", "A", ["pass"]],
  ];
  for (const [name, type, lines] of cases) {
    await t.step(`${name} ${type}`, () => assert.deepEqual(ask(name, type), lines));
  }
});

Deno.test("lookupMesh() answers NODATA with a SOA for the other family and for other types", async (t) => {
  const cases: [string, string, string[]][] = [
    [PRODUCTPAGE, "AAAA", [soa("cluster.local")]],
    ["productpage.ns1", "AAAA", [soa("productpage.ns1")]],
    ["api.example.org", "AAAA", [soa("api.example.org")]],
    ...["HTTPS", "SVCB", "TXT", "MX", "SRV", "NS", "SOA", "CNAME", "TYPE65280"].map((
      type,
    ): [string, string, string[]] => [PRODUCTPAGE, type, [soa("cluster.local")]]),
    [PRODUCTPAGE, "ANY", [`answer ${PRODUCTPAGE} 30 HINFO RFC8482`]],
    ["api.example.org", "HTTPS", [soa("api.example.org")]],
    ["api.example.org", "SVCB", [soa("api.example.org")]],
    ["api.example.org", "ANY", ["answer api.example.org 30 HINFO RFC8482"]],
    ["api.example.org", "TXT", ["pass"]],
    ["api.example.org", "MX", ["pass"]],
  ];
  for (const [name, type, lines] of cases) {
    await t.step(`${name} ${type}`, () => assert.deepEqual(ask(name, type), lines));
  }
});

Deno.test("lookupMesh() cuts search domains off (autopath)", async (t) => {
  const chain = (name: string, target: string, address: string) => [
    `answer ${name} 30 CNAME ${target}`,
    `answer ${target} 30 A ${address}`,
  ];
  const under = (name: string, domain: string) => `${name}.${domain}`;
  const cases: [string, string, string[]][] = [
    ...[
      "ns1.svc.cluster.local",
      "svc.cluster.local",
      "cluster.local",
      "corp.example",
      "lab.corp.example",
    ]
      .map((domain): [string, string, string[]] => {
        const name = under(PRODUCTPAGE, domain);
        return [name, "A", chain(name, PRODUCTPAGE, "10.0.0.1")];
      }),
    [
      "api.example.org.svc.cluster.local",
      "AAAA",
      ["answer api.example.org.svc.cluster.local 30 CNAME api.example.org", soa("api.example.org")],
    ],
    [
      `${PRODUCTPAGE}.corp.example`,
      "TXT",
      [`answer ${PRODUCTPAGE}.corp.example 30 CNAME ${PRODUCTPAGE}`, soa("cluster.local")],
    ],
    [
      `${PRODUCTPAGE}.corp.example`,
      "CNAME",
      [`answer ${PRODUCTPAGE}.corp.example 30 CNAME ${PRODUCTPAGE}`],
    ],
    ["api.example.org.corp.example", "TXT", ["pass"]],
    // A short form under the mesh's own domains is the mesh's …
    [
      "productpage.ns1.ns1.svc.cluster.local",
      "A",
      chain("productpage.ns1.ns1.svc.cluster.local", PRODUCTPAGE, "10.0.0.1"),
    ],
    // … and under the VM's own domains it is theirs.
    ["vpn.corp.example", "A", ["pass"]],
    ["ledger.bank.corp.example", "A", ["pass"]],
    ["ledger.bank.svc.corp.example", "A", ["pass"]],
    ["single.corp.example", "A", ["pass"]],
    ["productpage.ns1.svc.cluster.local.example.net", "A", ["pass"]],
    ["corp.example", "A", ["pass"]],
  ];
  for (const [name, type, lines] of cases) {
    await t.step(`${name} ${type}`, () => assert.deepEqual(ask(name, type), lines));
  }
});

Deno.test("lookupMesh() answers wildcards with the name that was asked", async (t) => {
  const cases: [string, string[]][] = [
    ["x.wild.example", ["answer x.wild.example 30 A 192.0.2.4"]],
    ["a.b.wild.example", ["answer a.b.wild.example 30 A 192.0.2.4"]],
    ["known.wild.example", ["answer known.wild.example 30 A 192.0.2.5"]],
    ["wild.example", ["pass"]],
    ["x.wild.example.corp.example", [
      "answer x.wild.example.corp.example 30 CNAME x.wild.example",
      "answer x.wild.example 30 A 192.0.2.4",
    ]],
    ["wild.alias.example.corp.example", [
      "answer wild.alias.example.corp.example 30 CNAME wild.alias.example",
      "answer wild.alias.example 30 A 192.0.2.4",
    ]],
    // A host after autopath comes before a wildcard.
    ["known.wild.example.ns1.svc.cluster.local", [
      "answer known.wild.example.ns1.svc.cluster.local 30 CNAME known.wild.example",
      "answer known.wild.example 30 A 192.0.2.5",
    ]],
  ];
  for (const [name, lines] of cases) {
    await t.step(name, () => assert.deepEqual(ask(name), lines));
  }
  await t.step("no answer carries a literal asterisk", () => {
    assert.deepEqual(ask("*.wild.example"), ["answer *.wild.example 30 A 192.0.2.4"]);
    assert.deepEqual(ask("x.wild.example", "AAAA"), [soa("x.wild.example")]);
  });
});

Deno.test("lookupMesh() leaves automatic VIPs upstream where none is served", async (t) => {
  const forward = { serveAutoAllocated: false };
  await t.step("served", () => {
    assert.deepEqual(ask("db.vip.example"), ["answer db.vip.example 30 A 240.240.0.1"]);
    assert.deepEqual(ask("db.vip.example", "AAAA"), ["answer db.vip.example 30 AAAA 2001:2::1"]);
  });
  await t.step("forwarded, and the wildcard beside it does not catch it", () => {
    assert.deepEqual(ask("db.vip.example", "A", forward), ["pass"]);
    assert.deepEqual(ask("db.vip.example.corp.example", "A", forward), ["pass"]);
    assert.deepEqual(ask("else.vip.example", "A", forward), [
      "answer else.vip.example 30 A 192.0.2.6",
    ]);
  });
  await t.step("a host's own addresses are served alone", () => {
    assert.deepEqual(ask("mixed.example", "A", forward), ["answer mixed.example 30 A 192.0.2.7"]);
  });
});

Deno.test("lookupMesh() answers PTR for addresses that the mesh gave out", async (t) => {
  const cases: [string, string[]][] = [
    ["1.0.0.10.in-addr.arpa", [`answer 1.0.0.10.in-addr.arpa 30 PTR ${PRODUCTPAGE}`]],
    ["1.0.1.10.in-addr.arpa", [
      "answer 1.0.1.10.in-addr.arpa 30 PTR pod-0.db.ns1.svc.cluster.local",
    ]],
    ["1.0.240.240.in-addr.arpa", ["answer 1.0.240.240.in-addr.arpa 30 PTR db.vip.example"]],
    ["1.2.0.192.in-addr.arpa", ["after NXDOMAIN"]],
    ["99.2.0.192.in-addr.arpa", ["pass"]],
  ];
  for (const [name, lines] of cases) {
    await t.step(name, () => assert.deepEqual(ask(name, "PTR"), lines));
  }
});

Deno.test("lookupMesh() answers SRV where ports are known", async (t) => {
  const cases: [string, string[]][] = [
    [`_http._tcp.${PRODUCTPAGE}`, [
      `answer _http._tcp.${PRODUCTPAGE} 30 SRV 9080 ${PRODUCTPAGE}`,
      `additional ${PRODUCTPAGE} 30 A 10.0.0.1`,
    ]],
    [`_http._tcp.${PRODUCTPAGE}.corp.example`, [
      `answer _http._tcp.${PRODUCTPAGE}.corp.example 30 CNAME _http._tcp.${PRODUCTPAGE}`,
      `answer _http._tcp.${PRODUCTPAGE} 30 SRV 9080 ${PRODUCTPAGE}`,
      `additional ${PRODUCTPAGE} 30 A 10.0.0.1`,
    ]],
    [`_http._udp.${PRODUCTPAGE}`, ["pass"]],
    [`_grpc._tcp.${PRODUCTPAGE}`, ["pass"]],
    ["_http._tcp.api.example.org", ["pass"]],
  ];
  for (const [name, lines] of cases) {
    await t.step(name, () => assert.deepEqual(ask(name, "SRV"), lines));
  }
});

Deno.test("lookupMesh() rotates addresses", () => {
  const first = (rotation: number) =>
    ask("api.example.org", "A", {}, rotation)[0].split(" ").at(-1);
  assert.deepEqual([0, 1, 2, 3].map(first), ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.1"]);
  assert.equal(new Set(ask("api.example.org", "A", {}, 2)).size, 3);
});
