/**
 * What outrigger is to reach, as ratios within one run, and whether it did.
 *
 * @module
 */
import { type BenchResult, ratioBetween, type WorkloadResult } from "./results.ts";

/** One target. */
export type Target =
  | { workload: string; metric: string; against: string; atMost?: number; above?: number }
  | { workload: string; metric: string; againstWorkload: string; atMost: number }
  | { workload: string; metric: string; absolute: number; unit: string };

const cpu = (workload: string, against: string, atMost: number): Target => ({
  workload,
  metric: "cpuUs",
  against,
  atMost,
});

/** Of the long run: one that is missed is reported. */
export const TARGETS: readonly Target[] = [
  cpu("mesh-5000", "floor", 1.1),
  cpu("mesh-5000", "unbound", 0.9),
  cpu("mesh-5000", "dnsmasq", 0.85),
  cpu("mesh-5000", "istio", 0.5),
  cpu("mesh-5000", "coredns", 0.5),
  cpu("mesh-100000", "unbound", 0.75),
  cpu("mesh-100000", "dnsmasq", 0.68),
  cpu("mesh-100000", "istio", 0.48),
  cpu("mesh-100000", "coredns", 0.48),
  ...["unbound", "dnsmasq", "knot-resolver", "coredns", "istio", "resolved"].map((
    against,
  ): Target => ({ workload: "mesh-5000", metric: "queriesPerSecond", against, above: 1 })),
  { workload: "autopath", metric: "cpuUs", againstWorkload: "mesh-5000", atMost: 1.15 },
  { workload: "mesh-1000000", metric: "cpuUs", againstWorkload: "mesh-1000", atMost: 1.3 },
  cpu("cached", "unbound", 0.9),
  { workload: "mesh-5000", metric: "at10000_p99Us", against: "unbound", atMost: 1.1 },
  { workload: "mesh-5000", metric: "at10000_p999Us", against: "unbound", atMost: 1.1 },
  cpu("misses", "istio", 1),
  cpu("misses", "coredns", 1),
  { workload: "push", metric: "lost", absolute: 0, unit: "queries" },
  { workload: "push", metric: "appliedMs", absolute: 1_000, unit: "ms" },
  { workload: "push", metric: "p999Us", absolute: 5_000, unit: "us" },
  { workload: "start", metric: "firstAnswerMs", absolute: 150, unit: "ms" },
  { workload: "memory-5000", metric: "residentBytes", absolute: 90e6, unit: "octets" },
  { workload: "memory-100000", metric: "residentBytes", absolute: 150e6, unit: "octets" },
];

/** Of the short run: one that is missed fails it. */
export const SHORT_TARGETS: readonly Target[] = [cpu("mesh-5000", "unbound", 1)];

/** A target held against a run. */
export interface TargetCheck {
  /** In words. */
  target: string;
  /** What was measured, a ratio unless the target is absolute; undefined where something is missing. */
  measured?: number;
  /** Whether it was reached. */
  verdict: "met" | "missed" | "within the spread" | "not measured";
}

/** Holds targets against a run. Those of workloads that did not run are left out. */
export function checkTargets(
  result: BenchResult,
  targets: readonly Target[] = TARGETS,
): TargetCheck[] {
  return targets.flatMap((target) => {
    const workload = result.workloads.find(({ name }) => name === target.workload);
    if (workload === undefined) return [];
    return ["againstWorkload" in target ? checkWorkloads(result, target) : check(workload, target)];
  });
}

/** Two workloads of outrigger: their rounds are no pairs, so that the medians are compared. */
function checkWorkloads(
  { workloads }: BenchResult,
  { workload, metric, againstWorkload, atMost }: Extract<Target, { againstWorkload: string }>,
): TargetCheck {
  const [own, other] = [workload, againstWorkload].map((wanted) => {
    const rows = workloads.find(({ name }) => name === wanted)?.rows ?? [];
    const row = rows.find(({ peer }) => peer === "outrigger");
    return row?.void === undefined ? row?.spreads[metric]?.median : undefined;
  });
  const measured = own === undefined || other === undefined ? undefined : own / other;
  return {
    target: `${workload}: ${metric} at most ${atMost.toFixed(2)} x that of ${againstWorkload}`,
    ...(measured !== undefined && { measured }),
    verdict: measured === undefined ? "not measured" : measured <= atMost ? "met" : "missed",
  };
}

function check(
  workload: WorkloadResult,
  target: Exclude<Target, { againstWorkload: string }>,
): TargetCheck {
  const { metric } = target;
  const text = `${target.workload}: ${metric} `;
  if ("absolute" in target) {
    const spread = workload.rows.find(({ peer }) => peer === "outrigger")?.spreads[metric];
    return {
      target: `${text}at most ${target.absolute} ${target.unit}`,
      ...(spread && { measured: spread.median }),
      verdict: spread === undefined
        ? "not measured"
        : spread.median <= target.absolute
        ? "met"
        : "missed",
    };
  }
  const { against, atMost, above } = target;
  const measured = ratioBetween(workload, { metric, of: "outrigger", to: against });
  const wording = atMost === undefined ? `above ${above}` : `at most ${atMost.toFixed(2)}`;
  const isMet = measured !== undefined &&
    (atMost === undefined ? measured > above! : measured <= atMost);
  return {
    target: `${text}${wording} x ${against}'s`,
    ...(measured !== undefined && { measured }),
    verdict: measured === undefined
      ? "not measured"
      : isMet
      ? "met"
      : metric.includes("_p99") && overlap(workload, metric, against)
      ? "within the spread"
      : "missed",
  };
}

/** Whether the rounds of both have numbers in common: of a tail, no more can be told apart. */
function overlap({ rows }: WorkloadResult, metric: string, against: string): boolean {
  const [own, other] = ["outrigger", against].map((name) =>
    rows.find(({ peer }) => peer === name)!.spreads[metric]
  );
  return own.min <= other.max;
}

/** A line for each. */
export function formatChecks(checks: readonly TargetCheck[]): string {
  return checks.map(({ target, measured, verdict }) =>
    `${verdict.padEnd(17)} ${target}` +
    (measured === undefined ? "" : ` (measured: ${Number(measured.toPrecision(4))})`)
  ).join("\n");
}
