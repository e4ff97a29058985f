import assert from "node:assert/strict";
import fc from "fast-check";
import { externalEntry, serviceEntry } from "../../test/support/host_entries.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { formatAddress, isInRange, parseRange, reverseName } from "../dns/ip_address.ts";
import { isBelow, isWithin, parentOf } from "../dns/name.ts";
import { type CheckedHost, checkHost, excludeMatcher, HOST_ADDRESSES_MAX } from "./host_check.ts";
import type { HostEntry } from "./host_entry.ts";
import type { MeshHost, NameTable } from "./name_table.ts";
import { packTable, REJECTED_KEPT } from "./pack_table.ts";
import { Header } from "./table_layout.ts";

Deno.test("packTable() leaves out what cannot be served, and says why", async (t) => {
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
      const { table, rejected } = buildTable([host, good], {
        exclude: ["vpn.example.org", "*.corp.example"],
      });
      assert.equal(table.size, reason === undefined ? 2 : 1);
      assert.ok(table.exact("good.example.org"));
      if (reason === undefined) assert.deepEqual(rejected, []);
      else assert.match(rejected[0].reason, new RegExp(`^${reason}`));
    });
  }
});

Deno.test("packTable() keeps the good addresses of a host once each", () => {
  const { table, rejected } = buildTable([
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

Deno.test("packTable() prefers Kubernetes where a host is named twice", () => {
  const external = { ...externalEntry("a.ns1.svc.cluster.local", ["192.0.2.1"]) };
  const kubernetes = serviceEntry("a.ns1", ["10.0.0.1"]);
  for (const entries of [[external, kubernetes], [kubernetes, external]]) {
    const { table, rejected } = buildTable(entries);
    assert.equal(table.size, 1);
    assert.equal(table.exact("a.ns1.svc.cluster.local")!.kubernetes, true);
    assert.equal(rejected.length, entries[0] === kubernetes ? 1 : 0);
  }
});

Deno.test("packTable() keeps as many addresses of a host as a record can count", () => {
  const addresses = Array.from(
    { length: HOST_ADDRESSES_MAX + 10 },
    (_, i) => `10.${i >> 16}.${i >> 8 & 255}.${i & 255}`,
  );
  const { table, rejected } = buildTable([
    externalEntry("a.example.org", [...addresses.slice(0, 5), ...addresses]),
  ]);
  assert.equal(table.exact("a.example.org")!.addresses.length, HOST_ADDRESSES_MAX);
  assert.match(rejected[0].reason, /^more than 65535 addresses/);
});

Deno.test("packTable() tells the first of what it left out, and how much it was", () => {
  const entries = Array.from({ length: 1_000 }, (_, i) => externalEntry(`h${i}.example`, []));
  const { rejected, rejectedTotal } = buildTable(entries);
  assert.deepEqual([rejected.length, rejectedTotal], [REJECTED_KEPT, 1_000]);
});

Deno.test("packTable() uses the memory that it is given where that is large enough", () => {
  const options = { clusterDomain: "cluster.local", exclude: [], vipRanges: [], seed: 7 };
  const many = Array.from(
    { length: 200 },
    (_, i) => serviceEntry(`s${i}.ns1`, [`10.0.0.${i}`], { altHosts: [`s${i}.example`] }),
  );
  const { buffer: into } = packTable(many, options);
  const { buffer: again } = packTable(many.slice(0, 150), { ...options, into });
  assert.equal(again, into);
  const { buffer: other } = packTable(many.slice(0, 150), options);
  const used = new Int32Array(other)[Header.OCTETS];
  assert.deepEqual(new Uint8Array(again, 0, used), new Uint8Array(other, 0, used));
  assert.ok(other.byteLength >= used * 1.25);
  const { buffer: larger } = packTable([
    ...many,
    ...many.map(({ host }) => ({
      ...serviceEntry("x.ns1", ["10.0.1.1"]),
      host: `x-${host}`,
    })),
  ], { ...options, into });
  assert.notEqual(larger, into);
});

Deno.test("packTable() finds the same whatever the seed", () => {
  const entries = Array.from(
    { length: 500 },
    (_, i) => serviceEntry(`s${i}.ns${i % 7}`, [`10.0.${i >> 8}.${i & 255}`]),
  );
  for (const seed of [0, 1, -1, 0x7fffffff, -0x80000000]) {
    const { table } = buildTable(entries, { seed });
    for (const { host } of entries) assert.equal(table.exact(host)?.host, host);
  }
});

Deno.test("packTable() takes any entries without failing", () => {
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
    const { table, rejectedTotal } = buildTable(list);
    assert.ok(table.size <= list.length);
    assert.ok(table.size + rejectedTotal >= list.length);
  }));
});

/** The rules of a table, told by maps of texts. */
class TableModel {
  readonly hosts: CheckedHost[];
  readonly names = new Map<string, CheckedHost>();
  readonly wildcards = new Map<string, CheckedHost>();
  readonly addresses = new Map<string, CheckedHost>();
  readonly parents = new Set<string>();

  constructor(entries: HostEntry[], exclude: string[]) {
    const isExcluded = excludeMatcher(exclude);
    for (const entry of entries) {
      const host = checkHost(entry, () => {});
      if (host === undefined || isExcluded(host.host)) continue;
      const map = host.host.startsWith("*.") ? this.wildcards : this.names;
      const key = host.host.replace("*.", "");
      if (!map.has(key) || host.kubernetes && !map.get(key)!.kubernetes) map.set(key, host);
    }
    this.hosts = [...this.names.values(), ...this.wildcards.values()];
    for (const host of this.hosts) {
      for (const alias of host.altHosts) {
        if (!this.names.has(alias) && !isExcluded(alias)) this.names.set(alias, host);
      }
      const name = host.host.replace("*.", "");
      for (let above = parentOf(name); above !== undefined; above = parentOf(above)) {
        if (isWithin(above, "cluster.local") && isBelow(name, above)) this.parents.add(above);
      }
      if (host.host.startsWith("*.")) continue;
      for (const address of host.addresses) {
        const present = this.addresses.get(formatAddress(address));
        const order = (host: CheckedHost) => `${host.kubernetes ? 0 : 1}${host.host}`;
        if (present === undefined || order(host) < order(present)) {
          this.addresses.set(formatAddress(address), host);
        }
      }
    }
  }

  wildcard(name: string): CheckedHost | undefined {
    for (let above = parentOf(name); above !== undefined; above = parentOf(above)) {
      if (this.wildcards.has(above)) return this.wildcards.get(above);
    }
  }
}

const VIPS = parseRange("240.240.0.0/16")!;

/** What a host is, in the form of either side. */
function outline(host: MeshHost | CheckedHost | undefined) {
  if (host === undefined) return undefined;
  const isPlain = (address: Uint8Array) => host.kubernetes || !isInRange(address, VIPS);
  const order = (address: Uint8Array) => address.length * 2 + (isPlain(address) ? 0 : 1);
  const addresses = [...host.addresses].sort((a, b) => order(a) - order(b));
  const plain = "plainAddresses" in host ? host.plainAddresses : addresses.filter(isPlain);
  return {
    host: host.host,
    addresses: addresses.map(formatAddress),
    plain: plain.map(formatAddress),
    shortForms: "shortForms" in host ? host.shortForms : host.kubernetes && host.shortName !== "",
    namespace: host.namespace,
    altHosts: host.altHosts,
    ports: host.ports,
  };
}

Deno.test("packTable() makes tables that answer as its rules say", () => {
  const labels = ["a", "B", "svc", "ns1", "x\\.y", "\u00e9", "*", "cluster", "1", "z".repeat(63)];
  const domains = ["cluster.local", "svc.cluster.local", "ns1.svc.cluster.local", "example", "a.b"];
  const name = fc.tuple(
    fc.array(fc.constantFrom(...labels), { minLength: 1, maxLength: 4 }),
    fc.constantFrom(...domains),
  ).map(([labels, domain]) => `${labels.join(".")}.${domain}`);
  const addresses = ["192.0.2.1", "192.0.2.2", "2001:db8::1", "240.240.0.1", "240.240.9.9", "bad"];
  const entry: fc.Arbitrary<HostEntry> = fc.record({
    host: fc.oneof(name, name.map((name) => `*.${name}`), fc.constantFrom(...domains)),
    addresses: fc.array(fc.constantFrom(...addresses), { maxLength: 4 }),
    registry: fc.constantFrom("Kubernetes", "External"),
    shortName: fc.constantFrom("a", "A.b", ""),
    namespace: fc.constantFrom("ns1", "NS2", ""),
    altHosts: fc.array(name, { maxLength: 2 }),
    ports: fc.constantFrom([], [{ name: "http", protocol: "tcp" as const, port: 80 }]),
  });
  const exclude = ["*.b.example", "a.example"];
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 30 }), fc.integer(), (entries, seed) => {
      const model = new TableModel(entries, exclude);
      const { table } = buildTable(entries, { exclude, vipRanges: [VIPS], seed });
      assert.deepEqual([...table.hosts()].map(outline), model.hosts.map(outline));
      for (const name of questionsAbout(model)) {
        assert.deepEqual(outline(table.exact(name)), outline(model.names.get(name)), name);
        assert.deepEqual(outline(table.wildcard(name)), outline(model.wildcard(name)), name);
        assert.equal(table.hasChildren(name), model.parents.has(name), name);
      }
      assertReverse(table, model);
    }),
    { numRuns: 500 },
  );
});

/** Every name of a table, what is above and below it. */
function questionsAbout(model: TableModel): Set<string> {
  const questions = new Set<string>();
  for (const name of [...model.names.keys(), ...model.wildcards.keys(), "a.b.example"]) {
    questions.add(`x.y.${name}`);
    for (let above: string | undefined = name; above; above = parentOf(above)) questions.add(above);
  }
  return questions;
}

function assertReverse(table: NameTable, model: TableModel): void {
  for (const host of model.hosts) {
    for (const address of host.addresses) {
      const winner = model.addresses.get(formatAddress(address));
      const expected = winner && {
        name: winner.host,
        owned: winner.kubernetes || isInRange(address, VIPS),
      };
      assert.deepEqual(table.reverse(reverseName(address)), expected);
    }
  }
}

Deno.test("packTable() takes 100,000 hosts in seconds", () => {
  const entries = Array.from(
    { length: 100_000 },
    (_, i) => serviceEntry(`svc-${i}.ns-${i % 100}`, [`10.${i >> 16}.${i >> 8 & 255}.${i & 255}`]),
  );
  const started = performance.now();
  const { table } = buildTable(entries);
  assert.equal(table.size, 100_000);
  assert.ok(performance.now() - started < 10_000);
  assert.equal(
    table.exact("svc-99999.ns-99.svc.cluster.local")!.addresses[0].join("."),
    "10.1.134.159",
  );
  // 60 octets, the name of 32 and the address, with slots that are half full at most.
  assert.ok(table.octets / 100_000 < 140, `${table.octets / 100_000} octets a host`);
});
