import assert from "node:assert/strict";
import { externalEntry } from "../../test/support/host_entries.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { formatAddress } from "../dns/ip_address.ts";
import { encodeNameTable } from "../mesh/protocol.ts";
import type { HostEntry } from "../names/host_entry.ts";
import { NameSources } from "./name_sources.ts";

const push = (entries: HostEntry[], origin: "control-plane" | "disk" = "control-plane") => ({
  bytes: encodeNameTable(entries),
  version: "1",
  origin,
  receivedAtMs: 0,
});
const make = (expectsPush: boolean) =>
  new NameSources({
    clusterDomain: "cluster.local",
    exclude: ["*.x.example"],
    vipRanges: [],
    expectsPush,
    random: new FixedRandom(0.5),
  });
const addressOf = (names: NameSources, host: string) =>
  names.table.exact(host)?.addresses.map(formatAddress).join();

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
