import assert from "node:assert/strict";
import { answerLines } from "../../test/support/dns_messages.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { formatRcode, parseType } from "../dns/codes.ts";
import { answerClusterDomain, answerSpecialName, type LocalOutcome } from "./local_zones.ts";
import type { MeshView } from "./mesh_lookup.ts";

const view: MeshView = {
  clusterDomain: "cluster.local",
  namespace: "ns1",
  searchDomains: [],
  serveAutoAllocated: true,
};
const { table } = buildTable([{
  host: "a.ns1.svc.cluster.local",
  addresses: ["10.0.0.1"],
  registry: "Kubernetes",
  shortName: "a",
  namespace: "ns1",
  altHosts: [],
}]);

function lines(outcome: LocalOutcome | undefined): string[] {
  return outcome === undefined
    ? ["none"]
    : [formatRcode(outcome.answer.rcode), ...answerLines(outcome.answer)];
}

Deno.test("answerSpecialName() keeps names that belong to the resolver", async (t) => {
  const cases: [string, string, string[]][] = [
    ["localhost", "A", ["NOERROR", "answer localhost 86400 A 127.0.0.1"]],
    ["x.localhost", "AAAA", ["NOERROR", "answer x.localhost 86400 AAAA ::1"]],
    ["localhost", "MX", ["NOERROR", "authority localhost 5 SOA ns.localhost"]],
    ["1.0.0.127.in-addr.arpa", "PTR", [
      "NOERROR",
      "answer 1.0.0.127.in-addr.arpa 86400 PTR localhost",
    ]],
    ["x.invalid", "A", ["NXDOMAIN", "authority invalid 5 SOA ns.invalid"]],
    ["x.onion", "A", ["NXDOMAIN", "authority onion 5 SOA ns.onion"]],
    ["_dns.resolver.arpa", "SVCB", ["NOERROR", "authority resolver.arpa 5 SOA ns.resolver.arpa"]],
    ["1.0.0.10.in-addr.arpa", "PTR", ["none"]],
    ["notlocalhost", "A", ["none"]],
    ["example.org", "A", ["none"]],
    ["", "NS", ["none"]],
  ];
  for (const [name, type, expected] of cases) {
    await t.step(`${name} ${type}`, () => {
      assert.deepEqual(lines(answerSpecialName({ name, type: parseType(type)! })), expected);
    });
  }
});

Deno.test("answerClusterDomain() lets nothing of the cluster domain leak", async (t) => {
  const soa = "authority cluster.local 5 SOA ns.cluster.local";
  const cases: [string, string, string[]][] = [
    ["cluster.local", "SOA", ["NOERROR", "answer cluster.local 5 SOA ns.cluster.local"]],
    ["cluster.local", "A", ["NOERROR", soa]],
    ["svc.cluster.local", "A", ["NOERROR", soa]],
    ["ns1.svc.cluster.local", "AAAA", ["NOERROR", soa]],
    ["b.ns1.svc.cluster.local", "A", ["NXDOMAIN", soa]],
    ["ns2.svc.cluster.local", "A", ["NXDOMAIN", soa]],
    ["www.example.org.ns1.svc.cluster.local", "A", ["NXDOMAIN", soa]],
    ["example.org", "A", ["none"]],
    ["xcluster.local", "A", ["none"]],
  ];
  for (const [name, type, expected] of cases) {
    await t.step(`${name} ${type}`, () => {
      const question = { name, type: parseType(type)! };
      assert.deepEqual(
        lines(answerClusterDomain({ table, complete: true, view }, question)),
        expected,
      );
    });
  }
});

Deno.test("answerClusterDomain() says SERVFAIL before the first table, unless the name is too deep", async (t) => {
  const cases: [string, string][] = [
    ["cluster.local", "NOERROR"],
    ["a.ns1.svc.cluster.local", "SERVFAIL"],
    ["pod-0.a.ns1.svc.cluster.local", "SERVFAIL"],
    ["_http._tcp.a.ns1.svc.cluster.local", "SERVFAIL"],
    ["_http._tcp.pod-0.a.ns1.svc.cluster.local", "SERVFAIL"],
    ["www.example.org.ns1.svc.cluster.local", "NXDOMAIN"],
    ["a.ns1.svc.cluster.local.ns1.svc.cluster.local", "NXDOMAIN"],
    ["a.ns1.svc.cluster.local.cluster.local", "NXDOMAIN"],
  ];
  const { table: empty } = buildTable([]);
  for (const [name, rcode] of cases) {
    await t.step(name, () => {
      const outcome = answerClusterDomain({ table: empty, complete: false, view }, {
        name,
        type: 1,
      })!;
      assert.equal(formatRcode(outcome.answer.rcode), rcode);
      assert.equal(outcome.final, rcode !== "SERVFAIL");
      assert.equal(outcome.answer.extendedError?.code, rcode === "SERVFAIL" ? 14 : undefined);
    });
  }
});
