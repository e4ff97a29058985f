import assert from "node:assert/strict";
import fc from "fast-check";
import { externalEntry, serviceEntry } from "../../test/support/host_entries.ts";
import { formatAddress } from "../dns/ip_address.ts";
import type { HostEntry } from "./host_entry.ts";
import { NameTable } from "./name_table.ts";

function build(entries: HostEntry[], exclude: string[] = []) {
  return NameTable.build(entries, { clusterDomain: "cluster.local", exclude });
}

Deno.test("NameTable.build() leaves out what cannot be served, and says why", async (t) => {
  const cases: [string, HostEntry, string | undefined][] = [
    ["a good host", externalEntry("db.example.org", ["192.0.2.1"]), undefined],
    ["a host in upper case", externalEntry("DB.Example.ORG.", ["192.0.2.1"]), undefined],
    ["a wildcard", externalEntry("*.example.org", ["192.0.2.1"]), undefined],
    ["an empty host", externalEntry("", ["192.0.2.1"]), "not a domain name"],
    ["the root", externalEntry(".", ["192.0.2.1"]), "not a domain name"],
    ["an empty label", externalEntry("a..b", ["192.0.2.1"]), "not a domain name"],
    [
      "a label of 64 octets",
      externalEntry(`${"x".repeat(64)}.org`, ["192.0.2.1"]),
      "not a domain name",
    ],
    [
      "more than 255 octets",
      externalEntry("x.".repeat(130) + "org", ["192.0.2.1"]),
      "not a domain name",
    ],
    ["everything", externalEntry("*", ["192.0.2.1"]), "a wildcard is"],
    ["a wildcard in the middle", externalEntry("a.*.org", ["192.0.2.1"]), "a wildcard is"],
    ["localhost", externalEntry("localhost", ["192.0.2.1"]), "reserved"],
    ["a wildcard of localhost", externalEntry("*.localhost", ["192.0.2.1"]), "reserved"],
    ["a reverse name", externalEntry("1.2.0.192.in-addr.arpa", ["192.0.2.1"]), "reserved"],
    ["a wildcard of a reverse zone", externalEntry("*.ip6.arpa", ["192.0.2.1"]), "reserved"],
    ["no address", externalEntry("db.example.org", []), "no usable address"],
    [
      "nothing but bad addresses",
      externalEntry("db.example.org", ["1.2.3", "x"]),
      "not an IP address",
    ],
    ["a CIDR", externalEntry("db.example.org", ["192.0.2.0/24"]), "not an IP address"],
    ["excluded by name", externalEntry("vpn.example.org", ["192.0.2.1"]), "excluded"],
    ["excluded by domain", externalEntry("a.corp.example", ["192.0.2.1"]), "excluded"],
    ["a wildcard excluded by domain", externalEntry("*.a.corp.example", ["192.0.2.1"]), "excluded"],
  ];
  for (const [title, host, reason] of cases) {
    await t.step(title, () => {
      const good = externalEntry("good.example.org", ["192.0.2.9"]);
      const { table, rejected } = build([host, good], ["vpn.example.org", "*.corp.example"]);
      assert.equal(table.size, reason === undefined ? 2 : 1);
      assert.ok(table.exact("good.example.org"));
      if (reason === undefined) assert.deepEqual(rejected, []);
      else assert.match(rejected[0].reason, new RegExp(`^${reason}`));
    });
  }
});

Deno.test("NameTable.build() keeps the good addresses of a host once each", () => {
  const { table, rejected } = build([
    externalEntry("db.example.org", [
      "192.0.2.1",
      "bad",
      "2001:DB8::1",
      "192.0.2.1",
      "2001:db8:0::1",
    ]),
  ]);
  const host = table.exact("db.example.org")!;
  assert.deepEqual(host.addresses.map(formatAddress), ["192.0.2.1", "2001:db8::1"]);
  assert.equal(rejected.length, 1);
});

Deno.test("NameTable.build() prefers Kubernetes where a host is named twice", () => {
  const external = { ...externalEntry("a.ns1.svc.cluster.local", ["192.0.2.1"]) };
  const kubernetes = serviceEntry("a.ns1", ["10.0.0.1"]);
  for (const entries of [[external, kubernetes], [kubernetes, external]]) {
    const { table, rejected } = build(entries);
    assert.equal(table.size, 1);
    assert.equal(table.exact("a.ns1.svc.cluster.local")!.kubernetes, true);
    assert.equal(rejected.length, entries[0] === kubernetes ? 1 : 0);
  }
});

Deno.test("NameTable.exact() finds aliases, and no alias hides a host", () => {
  const { table } = build([
    externalEntry("a.example.org", ["192.0.2.1"], {
      altHosts: ["b.example.org", "alias.example.org", "localhost", "*.x"],
    }),
    externalEntry("b.example.org", ["192.0.2.2"]),
  ]);
  assert.equal(table.exact("alias.example.org")!.host, "a.example.org");
  assert.equal(table.exact("b.example.org")!.host, "b.example.org");
  assert.equal(table.exact("localhost"), undefined);
});

Deno.test("NameTable.wildcard() finds the longest suffix", () => {
  const { table } = build([
    externalEntry("*.example.org", ["192.0.2.1"]),
    externalEntry("*.b.example.org", ["192.0.2.2"]),
  ]);
  assert.equal(table.wildcard("x.y.example.org")!.host, "*.example.org");
  assert.equal(table.wildcard("x.b.example.org")!.host, "*.b.example.org");
  assert.equal(table.wildcard("b.example.org")!.host, "*.example.org");
  assert.equal(table.wildcard("example.org"), undefined);
  assert.equal(table.wildcard("xexample.org"), undefined);
});

Deno.test("NameTable.reverse() gives Kubernetes names first, then the smallest", () => {
  const { table } = build([
    externalEntry("b.example.org", ["192.0.2.1"]),
    externalEntry("a.example.org", ["192.0.2.1"]),
    externalEntry("*.wild.example", ["192.0.2.2"]),
    externalEntry("0.example.org", ["10.0.0.1"]),
    serviceEntry("z.ns1", ["10.0.0.1", "2001:db8::1"]),
  ]);
  assert.deepEqual(table.reverse("1.2.0.192.in-addr.arpa"), {
    name: "a.example.org",
    owned: false,
  });
  assert.equal(table.reverse("1.0.0.10.in-addr.arpa")!.name, "z.ns1.svc.cluster.local");
  assert.equal(table.reverse("2.2.0.192.in-addr.arpa"), undefined);
  assert.equal(table.reverse(`1.${"0.".repeat(23)}8.b.d.0.1.0.0.2.ip6.arpa`)!.owned, true);
});

Deno.test("NameTable.hasChildren() knows the names above hosts of the cluster domain", () => {
  const { table } = build([
    serviceEntry("a.ns1", ["10.0.0.1"]),
    externalEntry("x.example.org", ["192.0.2.1"]),
  ]);
  for (const name of ["ns1.svc.cluster.local", "svc.cluster.local", "cluster.local"]) {
    assert.equal(table.hasChildren(name), true, name);
  }
  for (const name of ["local", "ns2.svc.cluster.local", "a.ns1.svc.cluster.local", "example.org"]) {
    assert.equal(table.hasChildren(name), false, name);
  }
});

Deno.test("NameTable.build() takes any entries without failing", () => {
  const text = fc.oneof(
    fc.string({ maxLength: 300 }),
    fc.constantFrom("*.a.b", "a.b", "svc.cluster.local", "*", "127.0.0.1", "::1", "\\", "é.é"),
  );
  const entries = fc.array(
    fc.record({
      host: text,
      addresses: fc.array(text, { maxLength: 3 }),
      registry: fc.constantFrom("Kubernetes", "External", ""),
      shortName: text,
      namespace: text,
      altHosts: fc.array(text, { maxLength: 3 }),
    }),
    { maxLength: 8 },
  );
  fc.assert(fc.property(entries, (list) => {
    const { table, rejected } = build(list);
    assert.ok(table.size <= list.length);
    assert.ok(table.size + rejected.length >= list.length);
  }));
});

Deno.test("NameTable.build() takes 100,000 hosts in seconds", () => {
  const entries = Array.from(
    { length: 100_000 },
    (_, i) => serviceEntry(`svc-${i}.ns-${i % 100}`, [`10.${i >> 16}.${i >> 8 & 255}.${i & 255}`]),
  );
  const started = performance.now();
  const { table } = build(entries);
  assert.equal(table.size, 100_000);
  assert.ok(performance.now() - started < 10_000);
});

Deno.test("NameTable.buildInSteps() can be left every few hosts, in both of its passes", () => {
  const entries = Array.from(
    { length: 1_000 },
    (_, i) => externalEntry(`h${i}.example`, ["192.0.2.1"]),
  );
  let taken = 0;
  function* counted() {
    for (const entry of entries) {
      taken++;
      yield entry;
    }
  }
  const steps = NameTable.buildInSteps(counted(), { clusterDomain: "cluster.local" });
  const takenAt: number[] = [];
  let step = steps.next();
  for (; !step.done; step = steps.next()) takenAt.push(taken);
  assert.equal(step.value.table.size, 1_000);
  const most = Math.max(...takenAt.map((count, i) => count - (takenAt[i - 1] ?? 0)));
  assert.ok(most <= 64, `${most} hosts in one step`);
  // The second pass, over the hosts that were taken, has as many pauses.
  assert.ok(takenAt.filter((count) => count === 1_000).length >= 1_000 / 64 - 1);
});
