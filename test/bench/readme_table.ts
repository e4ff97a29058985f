/**
 * The README's tables of a committed result: what each query costs, and the targets. Pure.
 *
 * @module
 */
import type { BenchResult, Row } from "./results.ts";
import { checkTargets } from "./targets.ts";

/** Rows of the README's table: a workload, a metric of it, how it is written. */
const LINES: readonly { workload: string; title: string; metric: string; digits: number }[] = [
  ...[
    ["mesh-5000", "mesh name, 5,000 names"],
    ["mesh-100000", "mesh name, 100,000 names"],
    ["autopath", "name behind a search domain"],
    ["cached", "cached external name"],
    ["misses", "forwarded name"],
    ["redirect", "mesh name through an nft redirect"],
  ].map(([workload, title]) => ({
    workload,
    title: `${title}, µs`,
    metric: "cpuUs",
    digits: 1,
  })),
  {
    workload: "mesh-5000",
    title: "mesh name, thousand queries/s",
    metric: "queriesPerSecond",
    digits: 0,
  },
  { workload: "mesh-5000", title: "p99 at 10,000/s, µs", metric: "at10000_p99Us", digits: 0 },
  { workload: "mesh-5000", title: "p99.9 at 10,000/s, µs", metric: "at10000_p999Us", digits: 0 },
  { workload: "start", title: "start to first answer, ms", metric: "firstAnswerMs", digits: 0 },
  { workload: "memory-5000", title: "idle, 5,000 names, MB", metric: "residentBytes", digits: 0 },
  {
    workload: "memory-100000",
    title: "idle, 100,000 names, MB",
    metric: "residentBytes",
    digits: 0,
  },
];

const SCALES: Record<string, number> = { queriesPerSecond: 1e-3, residentBytes: 1e-6 };

/** Head and rows of the table: a column a server. Void results are left out. */
export function readmeRows(result: BenchResult): { head: string[]; rows: string[][] } {
  const peers = Object.keys(result.versions);
  const rows = LINES.flatMap(({ workload, title, metric, digits }) => {
    const found = result.workloads.find(({ name }) => name === workload);
    if (found === undefined) return [];
    const cells = peers.map((peer) => {
      const row = found.rows.find((row) => row.peer === peer);
      return cellOf(row, { metric, digits });
    });
    return [[title, ...cells]];
  });
  return { head: ["", ...peers], rows };
}

function cellOf(
  row: Row | undefined,
  { metric, digits }: { metric: string; digits: number },
): string {
  const spread = row?.void === undefined ? row?.spreads[metric] : undefined;
  return spread === undefined ? "—" : (spread.median * (SCALES[metric] ?? 1)).toFixed(digits);
}

/** Targets with what was measured: rows of target, measured, verdict. */
export function targetRows(result: BenchResult): string[][] {
  return checkTargets(result).map(({ target, measured, verdict }) => [
    target,
    measured === undefined ? "—" : String(Number(measured.toPrecision(3))),
    verdict,
  ]);
}
