/**
 * What a run of the benchmark found: the shape of its JSON file.
 *
 * @module
 */
import { type Metrics, ratioOf, type Spread, spreadsOf } from "./statistics.ts";

/** One server in one round of one workload. */
export interface Round {
  /** What was measured. */
  metrics: Metrics;
  /** Why it does not count; empty where it does. */
  voids: string[];
}

/** One server in all rounds of one workload. */
export interface Row {
  /** The server. */
  peer: string;
  /** Round by round; those of all rows are interleaved. */
  rounds: Round[];
  /** Of the rounds that count; of all where none does. */
  spreads: Record<string, Spread>;
  /** Why none counts, or why it could not be measured at all. */
  void?: string[];
}

/** One workload. */
export interface WorkloadResult {
  /** As `--only` names it. */
  name: string;
  /** For people. */
  title: string;
  /** What a reader must know. */
  note?: string;
  /** One for each server. */
  rows: Row[];
}

/** A whole run. */
export interface BenchResult {
  /** When it began, ISO 8601. */
  date: string;
  /** Where. */
  machine: { processor: string; cores: number; memoryGb: number; kernel: string };
  /** Rounds of each workload, and seconds of each client run. */
  rounds: number;
  seconds: number;
  /** By server. */
  versions: Record<string, string>;
  /** What was measured. */
  workloads: WorkloadResult[];
}

/** Sums up the rounds of a server. */
export function rowOf(peer: string, rounds: readonly Round[]): Row {
  const counting = rounds.filter(({ voids }) => voids.length === 0);
  const metrics = (counting.length > 0 ? counting : rounds).map(({ metrics }) => metrics);
  return {
    peer,
    rounds: [...rounds],
    spreads: spreadsOf(metrics),
    ...(counting.length === 0 && { void: [...new Set(rounds.flatMap(({ voids }) => voids))] }),
  };
}

/**
 * The median of a metric's ratio between two servers, round by round; undefined where either has no
 * round that counts.
 */
export function ratioBetween(
  { rows }: WorkloadResult,
  { metric, of, to }: { metric: string; of: string; to: string },
): number | undefined {
  const numbers = (peer: string) =>
    rows.find((row) => row.peer === peer)?.rounds
      .map(({ metrics, voids }) => voids.length > 0 ? undefined : metrics[metric]) ?? [];
  return ratioOf(numbers(of), numbers(to));
}
