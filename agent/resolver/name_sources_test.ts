import assert from "node:assert/strict";
import { externalEntry } from "../../test/support/host_entries.ts";
import { inPlaceBuilder } from "../../test/support/name_tables.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { formatAddress } from "../dns/ip_address.ts";
import { encodeNameTable } from "../mesh/protocol.ts";
import type { HostEntry } from "../names/host_entry.ts";
import type { NameTable } from "../names/name_table.ts";
import type { PackedTable, PackOptions } from "../names/pack_table.ts";
import { packSources, type TableBuilder, type TableSources } from "../names/table_builder.ts";
import { NameSources } from "./name_sources.ts";

const push = (entries: HostEntry[], origin: "control-plane" | "disk" = "control-plane") => ({
  bytes: encodeNameTable(entries),
  version: "1",
  origin,
  receivedAtMs: 0,
});
const make = (expectsPush: boolean) =>
  new NameSources(
    { clusterDomain: "cluster.local", exclude: ["*.x.example"], vipRanges: [], expectsPush },
    { builder: inPlaceBuilder, random: new FixedRandom(), isInUse: () => false },
  );
const addressIn = (table: NameTable, host: string) =>
  table.exact(host)?.addresses.map(formatAddress).join();
const addressOf = (names: NameSources, host: string) => addressIn(names.table, host);

Deno.test("NameSources merges files and pushes; files come first", async () => {
  const names = make(true);
  assert.deepEqual([names.origin, names.complete], ["none", false]);
  await names.replaceFiles([externalEntry("a.example", ["192.0.2.1"])]);
  assert.deepEqual([names.origin, names.complete], ["files", false]);
  await names.replacePushed(
    push(
      [externalEntry("a.example", ["192.0.2.2"]), externalEntry("b.example", ["192.0.2.3"])],
      "disk",
    ),
  );
  assert.deepEqual([names.origin, names.complete], ["disk+files", true]);
  assert.equal(addressOf(names, "a.example"), "192.0.2.1");
  assert.equal(addressOf(names, "b.example"), "192.0.2.3");
  await names.replaceFiles(undefined);
  assert.equal(addressOf(names, "a.example"), "192.0.2.2");
  await names.replacePushed(push([]));
  assert.deepEqual([names.origin, names.table.size], ["control-plane", 0]);
});

Deno.test("NameSources refuses a push of which nothing can be served", async () => {
  const names = make(true);
  const good = push([externalEntry("a.example", ["192.0.2.1"])]);
  assert.deepEqual(await names.replacePushed(good), { accepted: true });
  const bad = push([externalEntry("a.example", ["bad"]), externalEntry("", ["192.0.2.1"])]);
  assert.deepEqual(await names.replacePushed(bad), {
    accepted: false,
    reason: "no entry of the table can be served",
  });
  assert.equal(names.pushed, good);
  assert.equal(addressOf(names, "a.example"), "192.0.2.1");
  const mixed = push([externalEntry("b.example", ["192.0.2.1"]), externalEntry("", ["x"])]);
  assert.deepEqual(await names.replacePushed(mixed), { accepted: true });
  assert.equal(names.rejected.length, 1);
});

Deno.test("NameSources refuses a push that is not readable to its end", async () => {
  const names = make(true);
  const good = push([externalEntry("a.example", ["192.0.2.1"])]);
  await names.replacePushed(good);
  const whole = encodeNameTable([
    externalEntry("b.example", ["192.0.2.2"]),
    externalEntry("c.example", ["192.0.2.3"]),
  ]);
  const bytes = whole.subarray(0, whole.length - 1);
  assert.deepEqual(await names.replacePushed({ ...good, bytes }), {
    accepted: false,
    reason: "the name table is not readable: cut short at octet 42",
  });
  assert.equal(names.pushed, good);
  assert.equal(addressOf(names, "b.example"), undefined);
});

Deno.test("NameSources makes its changes one after the other", async () => {
  const names = make(true);
  await Promise.all([
    names.replacePushed(push([externalEntry("a.example", ["192.0.2.1"])])),
    names.replaceFiles([externalEntry("b.example", ["192.0.2.2"])]),
    names.replacePushed(push([externalEntry("c.example", ["192.0.2.3"])])),
  ]);
  assert.deepEqual([...names.table.hosts()].map(({ host }) => host), ["b.example", "c.example"]);
  assert.equal(names.origin, "control-plane+files");
});

Deno.test("NameSources leaves out what is excluded", async () => {
  const names = make(false);
  assert.equal(names.complete, true);
  await names.replaceFiles([
    externalEntry("a.x.example", ["192.0.2.1"]),
    externalEntry("b.example", ["192.0.2.1"]),
  ]);
  assert.equal(names.table.size, 1);
  await names.configure({
    clusterDomain: "cluster.local",
    exclude: [],
    vipRanges: [],
    expectsPush: false,
  });
  assert.equal(names.table.size, 2);
});

/** Tells which buffers were given to be built into, and checks that nobody reads them. */
class WatchedBuilder implements TableBuilder {
  readonly buffers = new Set<SharedArrayBuffer>();
  reused = 0;
  names!: NameSources;

  build(sources: TableSources, options: PackOptions): Promise<PackedTable> {
    if (options.into !== undefined) {
      this.reused++;
      assert.ok(this.buffers.has(options.into));
      assert.notEqual(options.into, this.names.table.buffer, "it is in force");
    }
    const packed = packSources(sources, options);
    if (packed.buffer.byteLength > 50_000) this.buffers.add(packed.buffer);
    return Promise.resolve(packed);
  }
}

Deno.test("NameSources builds where a table was that nobody reads any more", async () => {
  const builder = new WatchedBuilder();
  let published: NameTable | undefined;
  const names = builder.names = new NameSources(
    { clusterDomain: "cluster.local", exclude: [], vipRanges: [], expectsPush: true },
    { builder, random: new FixedRandom(), isInUse: (buffer) => buffer === published?.buffer },
  );
  const hosts = Array.from(
    { length: 1_000 },
    (_, i) => externalEntry(`h${i}.example`, ["192.0.2.1"]),
  );
  for (let i = 0; i < 20; i++) {
    const address = `192.0.2.${i}`;
    await names.replacePushed(push(hosts.map(({ host }) => externalEntry(host, [address]))));
    assert.equal(addressOf(names, "h7.example"), address);
    // Nothing of it can be served, or read: the memory that it was built in is free again.
    await names.replacePushed(push([externalEntry("", ["192.0.2.1"])]));
    await names.replacePushed({ ...push([]), bytes: Uint8Array.of(0x0f) });
    // The resolver is late by a push.
    if (published !== undefined) {
      assert.equal(addressIn(published, "h7.example"), `192.0.2.${i - 1}`);
    }
    published = names.table;
  }
  assert.equal(builder.buffers.size, 2);
  assert.ok(builder.reused >= 18, `${builder.reused} times`);
});

Deno.test("NameSources takes no more memory for a hundred pushes than for some", async () => {
  const names = make(true);
  const pushes = [0, 1].map((shift) =>
    push(Array.from(
      { length: 20_000 },
      (_, i) => externalEntry(`h${i + shift}.example`, [`10.0.${i >> 8}.${i & 255}`]),
    ))
  );
  const resident: number[] = [];
  for (let i = 0; i < 100; i++) {
    await names.replacePushed(pushes[i % 2]);
    resident.push(Deno.memoryUsage().rss);
  }
  assert.equal(names.table.size, 20_000);
  // A table has 3 MB, and garbage comes and goes: a hundred tables would be 300 MB.
  const grown = resident[99] - resident[20];
  assert.ok(grown < 60e6, `${grown / 1e6} MB`);
});
