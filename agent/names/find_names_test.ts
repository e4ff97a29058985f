import assert from "node:assert/strict";
import { externalEntry } from "../../test/support/host_entries.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { parseRange } from "../dns/ip_address.ts";
import { findNames } from "./find_names.ts";

const { table } = buildTable([
  externalEntry("reviews.ns1.example", ["192.0.2.1"]),
  externalEntry("details.ns1.example", ["192.0.2.2"], { altHosts: ["facts.example"] }),
  externalEntry("*.wild.example", ["240.240.0.1"]),
], { vipRanges: [parseRange("240.240.0.0/16")!] });
const view = {
  clusterDomain: "cluster.local",
  namespace: "default",
  searchDomains: [],
  serveAutoAllocated: false,
};

Deno.test("findNames() filters and sorts", async (t) => {
  const all = ["*.wild.example", "details.ns1.example", "reviews.ns1.example"];
  const cases: [string, string[]][] = [
    ["", all],
    ["*", all],
    ["NS1", ["details.ns1.example", "reviews.ns1.example"]],
    ["re*", ["reviews.ns1.example"]],
    ["*.ns1.*", ["details.ns1.example", "reviews.ns1.example"]],
    ["*e*e*e*", ["details.ns1.example", "reviews.ns1.example"]],
    ["facts*", ["details.ns1.example"]],
    ["ns1*", []],
    ["a*a", []],
  ];
  for (const [pattern, hosts] of cases) {
    await t.step(pattern, () => {
      const found = findNames({ table, view }, pattern).map((name) => name.host.host);
      assert.deepEqual(found, hosts);
    });
  }
});

Deno.test("findNames() says what is served here", () => {
  const [wild, details] = findNames({ table, view }, "");
  assert.deepEqual([wild.autoAllocated, wild.served], [true, false]);
  assert.deepEqual([details.autoAllocated, details.served], [false, true]);
});
