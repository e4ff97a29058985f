/**
 * The story of a seed that failed, as short as it can be told: what has to do with the name in question.
 *
 * @module
 */
import type { SeedResult } from "./run_seed.ts";
import { ALIASES } from "./universe.ts";

/** Lines of the trace that are shown at most. */
const LINES_SHOWN = 40;

/** What broke, what led to it, and how to run it alone. */
export function seedStory({ seed, violations, trace }: SeedResult): string {
  const name = /#\d+ (\S+)/.exec(violations[0])?.[1];
  const host = name === undefined ? undefined : ALIASES.get(name) ?? name;
  const matters = (line: string) =>
    name === undefined || line.includes(name) || line.includes(host!) ||
    / (push|restart|server|VIOLATION)/.test(line) && !line.includes("is asked");
  // What a server says stands on the line below the question.
  const lines = trace.filter((line, i) =>
    matters(line) && !line.includes(" says ") || / says /.test(line) && matters(trace[i - 1] ?? "")
  );
  const shown = lines.slice(-LINES_SHOWN);
  return [
    `Seed ${seed}: ${violations[0]}`,
    ...shown.map((line) => `  ${line.length > 160 ? `${line.slice(0, 157)}…` : line}`),
    `Alone, with all that happened: deno task simulate --seeds=1 --from=${seed} --trace`,
  ].join("\n");
}
