/**
 * Name tables of hosts, for tests.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { NameTable } from "../../agent/names/name_table.ts";
import { type PackedTable, type PackOptions, packTable } from "../../agent/names/pack_table.ts";
import { packSources, type TableBuilder } from "../../agent/names/table_builder.ts";

/** A table of cluster.local, and what was left out of it. */
export function buildTable(
  entries: Iterable<HostEntry>,
  options: Partial<PackOptions> = {},
): PackedTable & { table: NameTable } {
  const packed = packTable(entries, {
    clusterDomain: "cluster.local",
    exclude: [],
    vipRanges: [],
    seed: 1,
    ...options,
  });
  return { ...packed, table: new NameTable(packed.buffer) };
}

/** Builds at once, whatever the size. */
export const inPlaceBuilder: TableBuilder = {
  build: (sources, options) => new Promise((resolve) => resolve(packSources(sources, options))),
};
