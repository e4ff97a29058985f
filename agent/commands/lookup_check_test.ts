import assert from "node:assert/strict";
import type { CommandContext } from "./command_context.ts";
import { adviceOn, findFailingLookups, namesOfZones } from "./lookup_check.ts";

const name = (host: string, served = true) => ({ host, addresses: ["10.96.0.1"], served });
const NAMES = [
  name("*.wild.example.org"),
  name("left.example.org", false),
  name("bank.example.org"),
  name("productpage.ns1.svc.cluster.local"),
  name("details.ns1.svc.cluster.local"),
  name("ratings.ns2.svc.cluster.local"),
];

/** A machine on which these names fail, and the names that it was asked for. */
function machine(failing: readonly string[], code = 2) {
  const asked: string[] = [];
  const context = {
    fetch: () => Promise.resolve(new Response(JSON.stringify({ total: 6, names: NAMES }))),
    machine: () => ({
      runProgram: ([, , host]: string[]) => {
        asked.push(host);
        return Promise.resolve({ code: failing.includes(host) ? code : 0, stdout: "", stderr: "" });
      },
    }),
  } as unknown as CommandContext;
  return { asked, context };
}

const OPTIONS = { health: "127.0.0.1:15054", clusterDomain: "cluster.local" };

Deno.test("findFailingLookups() tries names of each kind, and tells those that fail", async () => {
  const { asked, context } = machine(["productpage.ns1"]);
  assert.deepEqual(await findFailingLookups(OPTIONS, context), ["productpage.ns1"]);
  assert.deepEqual(asked, [
    "productpage.ns1.svc.cluster.local",
    "details.ns1.svc.cluster.local",
    "productpage.ns1",
    "bank.example.org",
  ]);
});

Deno.test("findFailingLookups() blames nobody where it cannot try", async () => {
  const { context } = machine(["productpage.ns1.svc.cluster.local"], 127);
  assert.deepEqual(await findFailingLookups(OPTIONS, context), []);
  const noAgent = { ...context, fetch: () => Promise.reject(new Error("refused")) };
  assert.deepEqual(await findFailingLookups(OPTIONS, noAgent), []);
});

Deno.test("namesOfZones() tries a name of the cluster's own, and one of each domain of the outside", async () => {
  const { context } = machine([]);
  assert.deepEqual(await namesOfZones(OPTIONS, context), ["svc.cluster.local", "bank.example.org"]);
  const noAgent = { ...context, fetch: () => Promise.reject(new Error("refused")) };
  assert.deepEqual(await namesOfZones(OPTIONS, noAgent), ["svc.cluster.local"]);
});

const advice: [captures: string[], pattern: RegExp][] = [
  [["resolved"], /productpage\.ns1.*DNSSEC=no/],
  [["nftables"], /another --capture/],
  [["resolv-conf"], /nsswitch\.conf/],
];
for (const [captures, pattern] of advice) {
  Deno.test(`adviceOn() names under capture by ${captures}`, () => {
    assert.match(adviceOn(["productpage.ns1"], captures)!, pattern);
    assert.equal(adviceOn([], captures), undefined);
  });
}
