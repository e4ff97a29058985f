/**
 * `deno task fuzz`: the long run. Prints the seed first and a line for each target; ends with 1 where a
 * packet met a fault or took too long, with how to make that packet again.
 *
 * usage: fuzz.ts [--packets=N] [--seed=S] [--target=NAME [--from=PACKET]]
 *   --packets=N    packets in all, 10,000,000 unless given
 *   --seed=S       the seed; another one each time unless given
 *   --target=NAME  this one alone
 *   --from=PACKET  from this number on: with --packets=1, one packet again
 *
 * @module
 */
import type { FuzzReport } from "./fuzz_loop.ts";
import type { FuzzOrder } from "./fuzz_worker.ts";
import { fuzzTargets } from "./targets.ts";

/** A packet that takes this long never ends. */
const STUCK_MS = 30_000;

const packets = Number(option("packets") ?? 10_000_000);
const seed = Number(option("seed") ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const from = Number(option("from") ?? 0);
const only = option("target");
const targets = fuzzTargets().map((target, index) => ({ ...target, index }))
  .filter(({ name }) => only === undefined || name === only);
if (![packets, seed, from].every(Number.isSafeInteger) || targets.length === 0) {
  console.error("usage: fuzz.ts [--packets=N] [--seed=S] [--target=NAME [--from=PACKET]]");
  Deno.exit(2);
}

console.log(`seed ${seed}`);
console.log(`| target | packets | crashes | hangs | slowest packet | packets/s |`);
console.log(`| ------ | ------: | ------: | ----: | -------------: | --------: |`);
const weights = targets.reduce((sum, { weight }) => sum + weight, 0);
let failed = false;
for (const { name, weight, index } of targets) {
  const share = Math.ceil(packets * weight / weights);
  const startedMs = performance.now();
  const report = await runTarget({ target: index, seed, packets: share, from });
  const perSecond = Math.round(share / (performance.now() - startedMs) * 1000);
  const crashes = report.kinds.get("CRASH") ?? 0;
  console.log(
    `| ${name} | ${share.toLocaleString("en")} | ${crashes} | ${report.hangs.length} | ` +
      `${report.slowestMicros.toLocaleString("en")} µs | ${perSecond.toLocaleString("en")} |`,
  );
  const kinds = [...report.kinds].sort(([, a], [, b]) => b - a);
  console.error(kinds.map(([kind, count]) => `    ${count} ${kind}`).join("\n"));
  console.error(`    the slowest: ${again(name, report.slowestPacket)}`);
  for (const { packet, fault } of report.crashes) {
    console.error(`${name}, packet ${packet}: ${fault}\n    ${again(name, packet)}`);
  }
  for (const packet of report.hangs) console.error(`slow: ${again(name, packet)}`);
  failed ||= crashes > 0 || report.hangs.length > 0;
}
Deno.exit(failed ? 1 : 0);

/** Runs a target in a worker, and looks whether it goes on. */
async function runTarget(order: Omit<FuzzOrder, "progress">): Promise<FuzzReport> {
  const progress = new SharedArrayBuffer(4);
  const cell = new Int32Array(progress);
  const worker = new Worker(new URL("fuzz_worker.ts", import.meta.url).href, { type: "module" });
  const { promise, resolve, reject } = Promise.withResolvers<FuzzReport>();
  worker.onmessage = ({ data }: MessageEvent<FuzzReport>) => resolve(data);
  worker.onerror = (event) => reject(new Error(event.message));
  worker.postMessage({ ...order, progress } satisfies FuzzOrder);
  let last = -1;
  const timer = setInterval(() => {
    const packet = Atomics.load(cell, 0);
    if (packet === last) {
      console.error(`HANG: ${again(targets.find((t) => t.index === order.target)!.name, packet)}`);
      Deno.exit(1);
    }
    last = packet;
  }, STUCK_MS);
  return await promise.finally(() => {
    clearInterval(timer);
    worker.terminate();
  });
}

function again(name: string, packet: number): string {
  return `deno task fuzz --seed=${seed} --target="${name}" --from=${packet} --packets=1`;
}

function option(name: string): string | undefined {
  return Deno.args.find((arg) => arg.startsWith(`--${name}=`))?.slice(name.length + 3);
}
