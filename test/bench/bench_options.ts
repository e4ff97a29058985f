/**
 * The options of `deno task bench`.
 *
 * @module
 */
import { parseArgs } from "node:util";

/** How a benchmark is run. */
export interface BenchOptions {
  /** Rounds of each workload. */
  rounds: number;
  /** Seconds of each client run. */
  seconds: number;
  /** Workloads; all unless given. */
  only?: string[];
  /** Servers; all unless given. */
  peers?: string[];
  /** JSON file of the result; its plot is beside it. */
  out: string;
  /** Only whether mesh hits cost no more than unbound's. */
  short: boolean;
}

/** Reads the arguments. @throws {Error} with the argument that cannot be used */
export function parseBenchOptions(
  args: readonly string[],
  known: { workloads: readonly string[]; peers: readonly string[] },
): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: "string" },
      seconds: { type: "string" },
      only: { type: "string" },
      peers: { type: "string" },
      out: { type: "string", default: "dist/bench/result.json" },
      short: { type: "boolean", default: false },
    },
  });
  const { short, out } = values;
  const only = listOf("only", values.only, known.workloads);
  const peers = listOf("peers", values.peers, known.peers);
  return {
    short,
    out,
    rounds: wholeNumberOf("rounds", values.rounds ?? "5"),
    seconds: wholeNumberOf("seconds", values.seconds ?? (short ? "2" : "3")),
    ...(short ? SHORT : {}),
    ...(only !== undefined && { only }),
    ...(peers !== undefined && { peers }),
  };
}

const SHORT = { only: ["mesh-5000"], peers: ["outrigger", "floor", "unbound"] };

function listOf(
  option: string,
  text: string | undefined,
  known: readonly string[],
): string[] | undefined {
  const names = text?.split(",");
  for (const name of names ?? []) {
    if (known.includes(name)) continue;
    throw new Error(`--${option}: no such one: "${name}"; there are ${known.join(", ")}`);
  }
  return names;
}

function wholeNumberOf(option: string, text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) {
    throw new Error(`--${option} takes a whole number above 0, not "${text}"`);
  }
  return number;
}
