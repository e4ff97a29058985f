/**
 * The tables of the simulated mesh, and when each was in force.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { externalEntry, serviceEntry } from "../support/host_entries.ts";
import type { SeededRandom } from "../support/seeded_random.ts";
import { addressOf, MESH_HOSTS, SERVICES } from "./universe.ts";

/** A table: versions by host; `undefined` before the first one ever. */
export type MeshTable = ReadonlyMap<string, number> | undefined;

/** Which table was in force when. */
export class MeshHistory {
  readonly #tables: { fromMs: number; table: MeshTable }[] = [{ fromMs: 0, table: undefined }];
  readonly #versions = new Map<string, number>();
  readonly #random: SeededRandom;

  /** @param random draws the tables */
  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** Draws the next table: some hosts come, some go, some move. */
  draw(): MeshTable {
    const table = new Map(this.#tables.at(-1)!.table ?? []);
    const changes = table.size === 0 ? MESH_HOSTS.length : this.#random.between(1, 4);
    for (let i = 0; i < changes; i++) {
      const host = table.size === 0 || changes > 4 ? MESH_HOSTS[i] : this.#random.pick(MESH_HOSTS);
      if (this.#random.chance(0.35)) {
        table.delete(host);
        continue;
      }
      const version = (this.#versions.get(host) ?? 0) + 1;
      this.#versions.set(host, version);
      table.set(host, version);
    }
    return table;
  }

  /** A table is in force from now on. */
  replace(table: MeshTable, nowMs: number): void {
    this.#tables.push({ fromMs: nowMs, table });
  }

  /** Every table that was in force at some time of a period, both ends included. */
  between(fromMs: number, toMs: number): MeshTable[] {
    return this.#tables.flatMap(({ fromMs: start, table }, i) => {
      const end = this.#tables[i + 1]?.fromMs ?? Infinity;
      return start <= toMs && end >= fromMs ? [table] : [];
    });
  }
}

/** The address of a host in a table. */
export function meshAddress(host: string, version: number): string {
  return addressOf({ index: MESH_HOSTS.indexOf(host), version }, "mesh");
}

/** A table as a control plane sends it. */
export function tableEntries(table: MeshTable): HostEntry[] {
  return [...table ?? []].map(([host, version]) => {
    const addresses = [meshAddress(host, version)];
    return SERVICES.includes(host)
      ? serviceEntry(host.replace(".svc.cluster.local", ""), addresses)
      : externalEntry(host, addresses);
  });
}
