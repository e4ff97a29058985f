import assert from "node:assert/strict";
import { externalEntry, serviceEntry } from "../../test/support/host_entries.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { formatAddress, parseRange } from "../dns/ip_address.ts";
import { NameTable } from "./name_table.ts";

Deno.test("NameTable.exact() finds aliases, and no alias hides a host", () => {
  const { table } = buildTable([
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
  const { table } = buildTable([
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
  const { table } = buildTable([
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
  const { table } = buildTable([
    serviceEntry("a.ns1", ["10.0.0.1"]),
    externalEntry("x.example.org", ["192.0.2.1"]),
    externalEntry("x.longer-than-the-cluster-domain", ["192.0.2.1"]),
    externalEntry("y.x\\007cluster\\005local", ["192.0.2.1"]),
  ]);
  const others = ["longer-than-the-cluster-domain", "x\\007cluster\\005local"];
  for (const name of others) assert.equal(table.hasChildren(name), false, name);
  for (const name of ["ns1.svc.cluster.local", "svc.cluster.local", "cluster.local"]) {
    assert.equal(table.hasChildren(name), true, name);
  }
  for (const name of ["local", "ns2.svc.cluster.local", "a.ns1.svc.cluster.local", "example.org"]) {
    assert.equal(table.hasChildren(name), false, name);
  }
});

Deno.test("NameTable.reverse() knows what the mesh gave out", async (t) => {
  const { table } = buildTable([
    serviceEntry("a.ns1", ["192.0.2.1", "240.240.0.1"]),
    externalEntry("vip.example.org", ["192.0.2.2", "240.240.0.2", "2001:2::2"]),
  ], { vipRanges: [parseRange("240.240.0.0/16")!, parseRange("2001:2::/48")!] });
  const cases: [string, boolean][] = [
    ["1.2.0.192.in-addr.arpa", true],
    ["1.0.240.240.in-addr.arpa", true],
    ["2.2.0.192.in-addr.arpa", false],
    ["2.0.240.240.in-addr.arpa", true],
    [`2.${"0.".repeat(23)}2.0.0.0.1.0.0.2.ip6.arpa`, true],
  ];
  for (const [name, owned] of cases) {
    await t.step(name, () => assert.equal(table.reverse(name)?.owned, owned));
  }
});

Deno.test("NameTable gives hosts with all that the source told, as copies", () => {
  const ports = [{ name: "http", protocol: "tcp" as const, port: 9080 }];
  const { table, buffer } = buildTable([
    serviceEntry("pod-0.db.NS1", ["10.0.0.1", "2001:db8::1", "10.0.0.2"], { ports }),
    serviceEntry("plain.ns1", ["10.0.0.3"]),
    { ...serviceEntry("shared.ns1", ["10.0.0.4"]), shortName: "", namespace: "" },
    externalEntry("*.Example.org", ["240.240.0.1", "192.0.2.1"], { altHosts: ["alias.example"] }),
  ], { vipRanges: [parseRange("240.240.0.0/16")!] });
  const hosts = [...table.hosts()];
  const wildcard = table.wildcard("a.example.org");
  assert.deepEqual(table.exact("alias.example"), wildcard);
  assert.deepEqual(table.exact("plain.ns1.svc.cluster.local"), hosts[1]);
  // Another table in the same memory.
  new Uint8Array(buffer).fill(0xff);
  const rows = [...hosts, wildcard!].map((host) => ({
    ...host,
    addresses: host.addresses.map(formatAddress).join(" "),
    plainAddresses: host.plainAddresses.map(formatAddress).join(" "),
  }));
  const service = { kubernetes: true, shortForms: true, namespace: "ns1", altHosts: [], ports: [] };
  const wild = {
    host: "*.example.org",
    addresses: "192.0.2.1 240.240.0.1",
    plainAddresses: "192.0.2.1",
    kubernetes: false,
    shortForms: false,
    namespace: "",
    altHosts: ["alias.example"],
    ports: [],
  };
  assert.deepEqual(rows, [
    {
      ...service,
      host: "pod-0.db.ns1.svc.cluster.local",
      addresses: "10.0.0.1 10.0.0.2 2001:db8::1",
      plainAddresses: "10.0.0.1 10.0.0.2 2001:db8::1",
      ports,
    },
    {
      ...service,
      host: "plain.ns1.svc.cluster.local",
      addresses: "10.0.0.3",
      plainAddresses: "10.0.0.3",
    },
    {
      ...service,
      host: "shared.ns1.svc.cluster.local",
      addresses: "10.0.0.4",
      plainAddresses: "10.0.0.4",
      shortForms: false,
      namespace: "",
    },
    wild,
    wild,
  ]);
});

Deno.test("NameTable finds nothing under names that no table has", () => {
  const { table } = buildTable([
    externalEntry("a.example.org", ["192.0.2.1"]),
    externalEntry("*.example.org", ["192.0.2.1"]),
  ]);
  const long = `${"x".repeat(63)}.`.repeat(5);
  for (const name of ["", "org", "a", "a.example", "*.example.org", `${long}org`]) {
    assert.equal(table.exact(name), undefined, name);
    assert.equal(table.hasChildren(name), false, name);
  }
  for (const name of ["", "org", "example.org", `${long}org`]) {
    assert.equal(table.wildcard(name), undefined, name);
  }
  for (const name of ["", "x.in-addr.arpa", "9.2.0.192.in-addr.arpa", "a.example.org"]) {
    assert.equal(table.reverse(name), undefined, name);
  }
  const empty = new NameTable(buildTable([]).buffer);
  assert.equal(empty.size, 0);
  assert.equal(empty.exact("a.example.org") ?? empty.wildcard("a.example.org"), undefined);
});
