/**
 * What is measured beside steady loads.
 *
 * @module
 */
import type { Effort } from "./measure_workload.ts";
import type { Peer } from "./peers/peer.ts";
import { measurePush } from "./push.ts";
import type { WorkloadResult } from "./results.ts";
import { measureMemory, measureStart } from "./start_and_memory.ts";

/** A measurement with a way of its own. */
export interface SpecialWorkload {
  /** As `--only` names it. */
  name: string;
  /** Runs it. */
  measure: (peers: readonly Peer[], effort: Effort) => Promise<WorkloadResult>;
}

/** In the order of the table. */
export const SPECIAL_WORKLOADS: readonly SpecialWorkload[] = [
  { name: "push", measure: measurePush },
  { name: "start", measure: measureStart },
  ...[0, 5_000, 100_000].map((hosts) => ({
    name: `memory-${hosts}`,
    measure: (peers: readonly Peer[], effort: Effort) => measureMemory(hosts, peers, effort),
  })),
];
