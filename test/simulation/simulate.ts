/**
 * `deno task simulate`: thousands of seeds of the simulated world. Ends at the first seeds that fail,
 * with their stories, and exit code 1.
 *
 * usage: simulate.ts [--seeds=N] [--from=S] [--trace]
 *   --seeds=N   how many, 1000 unless given
 *   --from=S    the first, 1 unless given
 *   --trace     prints everything that happened
 *
 * @module
 */
import { runSeed } from "./run_seed.ts";
import { seedStory } from "./seed_story.ts";

/** Seeds that may fail before the run ends: more of them tell little more. */
const FAILURES_MAX = 3;

const seeds = numberArgument("seeds", 1_000);
const from = numberArgument("from", 1);
const startedMs = performance.now();
let failures = 0;
let simulatedMs = 0;
let questions = 0;
let played = 0;
for (let seed = from; seed < from + seeds && failures < FAILURES_MAX; seed++) {
  const result = await runSeed(seed);
  if (Deno.args.includes("--trace")) console.log(result.trace.join("\n"));
  played++;
  simulatedMs += result.simulatedMs;
  questions += result.questions;
  if (result.violations.length > 0) {
    failures++;
    console.error(`${seedStory(result)}\n`);
  }
  if (played % 500 === 0) console.log(summary());
}
console.log(summary());
Deno.exit(failures === 0 ? 0 : 1);

function summary(): string {
  const seconds = (performance.now() - startedMs) / 1000;
  const hours = simulatedMs / 3_600_000;
  return `${played} seeds, ${failures} failed; ${hours.toFixed(0)} simulated hours and ` +
    `${questions} questions in ${seconds.toFixed(1)} s ` +
    `(${(60 * played / seconds).toFixed(0)} seeds a minute)`;
}

function numberArgument(name: string, otherwise: number): number {
  const text = Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
  if (text === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(text)) throw new Error(`--${name} takes a whole number, and not "${text}"`);
  return Number(text);
}
