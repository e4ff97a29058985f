import assert from "node:assert/strict";
import { externalEntry } from "../../test/support/host_entries.ts";
import { formatAddress } from "../dns/ip_address.ts";
import type { HostEntry } from "../names/host_entry.ts";
import { NameSources } from "./name_sources.ts";

const push = (entries: HostEntry[], origin: "control-plane" | "disk" = "control-plane") => ({
  entries,
  version: "1",
  origin,
  receivedAtMs: 0,
});
const make = (expectsPush: boolean) =>
  new NameSources({ clusterDomain: "cluster.local", exclude: ["*.x.example"], expectsPush });
const addressOf = (names: NameSources, host: string) =>
  names.table.exact(host)?.addresses.map(formatAddress).join();

Deno.test("NameSources merges files and pushes; files come first", () => {
  const names = make(true);
  assert.deepEqual([names.origin, names.complete], ["none", false]);
  names.replaceFiles([externalEntry("a.example", ["192.0.2.1"])]);
  assert.deepEqual([names.origin, names.complete], ["files", false]);
  names.replacePushed(
    push(
      [externalEntry("a.example", ["192.0.2.2"]), externalEntry("b.example", ["192.0.2.3"])],
      "disk",
    ),
  );
  assert.deepEqual([names.origin, names.complete], ["disk+files", true]);
  assert.equal(addressOf(names, "a.example"), "192.0.2.1");
  assert.equal(addressOf(names, "b.example"), "192.0.2.3");
  names.replaceFiles(undefined);
  assert.equal(addressOf(names, "a.example"), "192.0.2.2");
  names.replacePushed(push([]));
  assert.deepEqual([names.origin, names.table.size], ["control-plane", 0]);
});

Deno.test("NameSources refuses a push of which nothing can be served", () => {
  const names = make(true);
  assert.equal(names.replacePushed(push([externalEntry("a.example", ["192.0.2.1"])])), true);
  assert.equal(
    names.replacePushed(
      push([externalEntry("a.example", ["bad"]), externalEntry("", ["192.0.2.1"])]),
    ),
    false,
  );
  assert.equal(addressOf(names, "a.example"), "192.0.2.1");
  assert.equal(
    names.replacePushed(
      push([externalEntry("b.example", ["192.0.2.1"]), externalEntry("", ["x"])]),
    ),
    true,
  );
  assert.equal(names.rejected.length, 1);
});

Deno.test("NameSources leaves out what is excluded", () => {
  const names = make(false);
  assert.equal(names.complete, true);
  names.replaceFiles([
    externalEntry("a.x.example", ["192.0.2.1"]),
    externalEntry("b.example", ["192.0.2.1"]),
  ]);
  assert.equal(names.table.size, 1);
  names.configure({ clusterDomain: "cluster.local", exclude: [], expectsPush: false });
  assert.equal(names.table.size, 2);
});
