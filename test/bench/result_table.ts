/**
 * A run's result as a table for people.
 *
 * @module
 */
import type { BenchResult, Row, WorkloadResult } from "./results.ts";

interface Column {
  title: string;
  /** Text of a cell; undefined where the row has no such number. */
  cell: (row: Row) => string | undefined;
}

const number = (value: number, digits = 0) =>
  value.toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });

/** The median of a metric, with the least and greatest round behind it. */
const spread = (metric: string, digits: number) => ({ spreads }: Row) => {
  const found = spreads[metric];
  return found &&
    `${number(found.median, digits)} (${number(found.min, digits)}–${number(found.max, digits)})`;
};

const median = (metric: string, { digits = 0, scale = 1 } = {}) => ({ spreads }: Row) =>
  spreads[metric] && number(spreads[metric].median * scale, digits);

const total = (metric: string) => ({ rounds }: Row) =>
  rounds.some(({ metrics }) => metric in metrics)
    ? number(rounds.reduce((sum, { metrics }) => sum + (metrics[metric] ?? 0), 0))
    : undefined;

const COLUMNS: readonly Column[] = [
  { title: "server", cell: ({ peer }) => peer },
  { title: "CPU us/query", cell: spread("cpuUs", 2) },
  { title: "queries/s", cell: median("queriesPerSecond") },
  { title: "CPU us at 10,000/s", cell: median("cpuUsAt10000", { digits: 1 }) },
  { title: "CPU us at 1,000/s", cell: median("cpuUsAt1000", { digits: 1 }) },
  ...["at10000", "at1000"].flatMap((at) =>
    ["p50", "p99", "p999"].map((part) => ({
      title: `${part} us ${at === "at10000" ? "at 10,000/s" : "at 1,000/s"}`,
      cell: median(`${at}_${part}Us`),
    }))
  ),
  { title: "first answer ms", cell: spread("firstAnswerMs", 0) },
  { title: "applied after ms", cell: spread("appliedMs", 0) },
  { title: "p99.9 us", cell: spread("p999Us", 0) },
  { title: "longest us", cell: median("maxUs") },
  { title: "RSS MB", cell: median("residentBytes", { digits: 1, scale: 1e-6 }) },
  { title: "RSS MB loaded", cell: median("loadedResidentBytes", { digits: 1, scale: 1e-6 }) },
  { title: "octets", cell: median("octets") },
  { title: "lost", cell: total("lost") },
];

/** Everything, in Markdown. */
export function formatResult(result: BenchResult): string {
  const { date, machine, rounds, seconds, versions } = result;
  const peers = Object.entries(versions).map(([peer, version]) => `${peer} ${version}`).join(", ");
  return [
    `${
      date.slice(0, 10)
    }, ${machine.processor}, ${machine.cores} cores, Linux ${machine.kernel}; ` +
    `medians of ${rounds} rounds of ${seconds} s.`,
    `Servers: ${peers}.`,
    ...result.workloads.map(formatWorkload),
  ].join("\n\n");
}

/** One workload: only the columns that any row has a number for. */
export function formatWorkload({ title, note, rows }: WorkloadResult): string {
  const columns = COLUMNS.filter(({ cell }) => rows.some((row) => cell(row) !== undefined));
  const line = (cells: string[]) => `| ${cells.join(" | ")} |`;
  const notes = rows.filter((row) => row.void !== undefined)
    .map((row) => `${row.peer} is void: ${row.void!.join("; ")}.`);
  return [
    `### ${title}`,
    "",
    line(columns.map(({ title }) => title)),
    line(columns.map((_, i) => i === 0 ? "---" : "--:")),
    ...rows.map((row) =>
      line(columns.map(({ cell }, i) => {
        const text = cell(row) ?? "—";
        return i === 0 && row.void !== undefined ? `${text} (void)` : text;
      }))
    ),
    ...[...notes, ...note === undefined ? [] : [note]].flatMap((text) => ["", text]),
  ].join("\n");
}
