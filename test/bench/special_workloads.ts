import type { Effort } from "./measure_workload.ts";
import type { Peer } from "./peers/peer.ts";
import type { WorkloadResult } from "./results.ts";

export interface SpecialWorkload {
  name: string;
  measure(peers: readonly Peer[], effort: Effort): Promise<WorkloadResult>;
}

export const SPECIAL_WORKLOADS: readonly SpecialWorkload[] = [];
