/**
 * A run's CPU times as a picture: a group of bars for each workload, readable on light and dark ground.
 *
 * @module
 */
import type { BenchResult, Row, WorkloadResult } from "./results.ts";

const WIDTH = 860;
const LABELS = 120;
const BAR = 14;
const GAP = 4;
const HEADING = 30;
/** A bar that is longer than this many times the group's median ends in an arrow. */
const CUT_AT = 3;

/** Draws it. Workloads without CPU times are left out. */
export function plotResult(result: BenchResult): string {
  const groups = result.workloads
    .map((workload) => ({ workload, bars: workload.rows.filter(hasBar) }))
    .filter(({ bars }) => bars.length > 0);
  let y = 54;
  const body: string[] = [];
  for (const { workload, bars } of groups) {
    body.push(...group(workload, bars, y));
    y += HEADING + bars.length * (BAR + GAP) + 14;
  }
  const { date, machine, rounds, seconds } = result;
  const subtitle =
    `${date.slice(0, 10)}, ${machine.processor}, one core for the server; median of ` +
    `${rounds} rounds of ${seconds} s, lines from the least to the greatest`;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${y}" font-family="system-ui, sans-serif" font-size="12">
<title>CPU time a query</title>
<style>
  text { fill: #1f2328 } .muted { fill: #59636e } .bar { fill: #8c959f } .own { fill: #0969da }
  .floor { fill: #d1d9e0 } .spread { stroke: #1f2328; stroke-width: 1 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .muted { fill: #9198a1 } .bar { fill: #656c76 } .own { fill: #4493f8 }
    .floor { fill: #3d444d } .spread { stroke: #f0f6fc }
  }
</style>
<text x="0" y="16" font-size="15" font-weight="600">CPU time a query, in microseconds</text>
<text x="0" y="34" class="muted">${escapeXml(subtitle)}</text>
${body.join("\n")}
</svg>
`;
}

function hasBar({ spreads }: Row): boolean {
  return spreads.cpuUs !== undefined;
}

function group({ title }: WorkloadResult, bars: readonly Row[], top: number): string[] {
  const medians = bars.map(({ spreads }) => spreads.cpuUs.median).sort((a, b) => a - b);
  const longest = Math.min(medians.at(-1)!, CUT_AT * medians[medians.length >> 1]);
  const room = WIDTH - LABELS - 110;
  const scale = (us: number) => Math.min(us, longest) / longest * room;
  const lines = [
    `<text x="0" y="${top + 14}" font-weight="600">${escapeXml(title)}</text>`,
  ];
  for (const [i, { peer, spreads: { cpuUs }, void: isVoid }] of bars.entries()) {
    const y = top + HEADING + i * (BAR + GAP) - 6;
    const middle = y + BAR / 2;
    const width = scale(cpuUs.median);
    const kind = peer === "outrigger" ? "own" : peer === "floor" ? "floor" : "bar";
    const text = `${cpuUs.median.toFixed(2)}${cpuUs.median > longest ? " →" : ""}` +
      (isVoid ? " (void)" : "");
    lines.push(
      `<text x="${LABELS - 8}" y="${y + 11}" text-anchor="end">${escapeXml(peer)}</text>`,
      `<rect class="${kind}" x="${LABELS}" y="${y}" width="${
        width.toFixed(1)
      }" height="${BAR}" rx="2"/>`,
      `<line class="spread" x1="${(LABELS + scale(cpuUs.min)).toFixed(1)}" x2="${
        (LABELS + scale(cpuUs.max)).toFixed(1)
      }" y1="${middle}" y2="${middle}"/>`,
      `<text class="muted" x="${(LABELS + Math.max(width, scale(cpuUs.max)) + 6).toFixed(1)}" y="${
        y + 11
      }">${escapeXml(text)}</text>`,
    );
  }
  return lines;
}

function escapeXml(text: string): string {
  const entities: Record<string, string> = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]);
}
