/**
 * How soon a server answers after its start, and how much memory it takes.
 *
 * @module
 */
import { join } from "node:path";
import { encodeNameTable } from "../../agent/mesh/protocol.ts";
import { SavedTable } from "../../agent/mesh/saved_table.ts";
import { systemClock } from "../../agent/system/clock.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { queryLines } from "./bench_names.ts";
import { MeasuredServer } from "./measured_server.ts";
import { type Effort, siteOf } from "./measure_workload.ts";
import { OUTRIGGER, outriggerCommand } from "./peers/outrigger.ts";
import type { Peer, PeerSite } from "./peers/peer.ts";
import type { Metrics } from "./statistics.ts";
import { type Round, rowOf, type WorkloadResult } from "./results.ts";

/** How long a server may settle before its memory is looked at, in milliseconds. */
const SETTLE_MS = 2_000;

/**
 * From the start of the process to the first answer that needs the last of 5,000 names. outrigger has
 * them from the table that it saved before, while no control plane can be reached.
 */
export function measureStart(peers: readonly Peer[], effort: Effort): Promise<WorkloadResult> {
  return measureFresh(peers, effort, {
    name: "start",
    title: "start to the first answer, 5,000 names",
    note: "outrigger has its names from the saved table, and no control plane to reach.",
    hosts: 5_000,
    async measure(peer, site) {
      const command = peer === OUTRIGGER ? await withSavedTable(site) : undefined;
      await using server = await MeasuredServer.start(peer, site, command && { command });
      return { firstAnswerMs: server.firstAnswerMs };
    },
  });
}

/** Resident memory of an idle server, and right after a load of mesh hits. */
export function measureMemory(
  hosts: number,
  peers: readonly Peer[],
  effort: Effort,
): Promise<WorkloadResult> {
  return measureFresh(peers, effort, {
    name: `memory-${hosts}`,
    title: `memory, ${hosts.toLocaleString("en")} names`,
    note: "outrigger is connected to its control plane by TLS.",
    hosts,
    async measure(peer, site) {
      await using server = await MeasuredServer.start(peer, site);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const residentBytes = await server.residentBytes();
      const metrics: Metrics = { residentBytes };
      if (hosts === 0) return metrics;
      const queries = join(site.folder, "queries");
      const options = { hosts: site.hosts, tag: "memory", count: 0, seed: 1 };
      await Deno.writeTextFile(queries, queryLines({ mesh: 1 }, options).join("\n") + "\n");
      await server.run({ program: "saturate", queries, seconds: effort.seconds });
      return { ...metrics, loadedResidentBytes: await server.residentBytes() };
    },
  });
}

/** Starts each server anew in each round. */
async function measureFresh(
  peers: readonly Peer[],
  effort: Effort,
  { name, title, note, hosts, measure }: {
    name: string;
    title: string;
    note: string;
    hosts: number;
    measure: (peer: Peer, site: PeerSite) => Promise<Round["metrics"]>;
  },
): Promise<WorkloadResult> {
  const rounds = new Map<string, Round[]>(peers.map((peer) => [peer.name, []]));
  for (let round = 1; round <= effort.rounds; round++) {
    for (const [index, peer] of peers.entries()) {
      await using stack = new AsyncDisposableStack();
      const site = await siteOf(hosts, { peer, index, folder: effort.folder, stack });
      await Deno.mkdir(site.folder, { recursive: true });
      try {
        const metrics = await measure(peer, site);
        rounds.get(peer.name)!.push({ metrics, voids: [] });
        effort.log(`${name} ${round}/${effort.rounds} ${peer.name} ${JSON.stringify(metrics)}`);
      } catch (error) {
        rounds.get(peer.name)!.push({
          metrics: {},
          voids: [(error as Error).message.slice(0, 500)],
        });
        effort.log(`${name} ${round}/${effort.rounds} ${peer.name}: ${(error as Error).message}`);
      }
    }
  }
  return { name, title, note, rows: [...rounds].map(([peer, found]) => rowOf(peer, found)) };
}

async function withSavedTable(site: PeerSite): Promise<string[]> {
  const saved = new SavedTable({
    stateDir: join(site.folder, "state"),
    files: systemFiles,
    clock: systemClock,
  });
  saved.save({ bytes: encodeNameTable(site.hosts), version: "1", receivedAtMs: Date.now() });
  await saved.flush();
  return outriggerCommand(site, ["--control-plane", `${site.address}:9`]);
}
