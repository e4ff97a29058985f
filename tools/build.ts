/**
 * `deno task build`: bundles the program and compiles it into dist/outrigger for this machine, or for
 * `--target=aarch64-unknown-linux-gnu`.
 *
 * The bundle is made by `deno bundle`, which is esbuild with Deno's own resolution; compiling the bundle
 * gives a smaller and faster binary than compiling the sources. It is split at what
 * is loaded when it is needed: at each start V8 reads all of a file that it loads, 100 ms for the whole.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { runToEnd } from "../test/support/child_process.ts";
import { baseBinary, type BaseOrigin } from "./denort_base.ts";
import { packagesInside } from "./packages_inside.ts";

/**
 * What the binary may do. All: it reads /proc, which nothing less allows, calls libc and, to install itself,
 * runs systemctl, and each of the latter could do anything anyway. What the agent may do is up to its unit.
 */
const PERMISSIONS = [
  "--allow-all",
  "--no-prompt", // a service has nobody to ask
];

/**
 * Programs of workers. Each is a bundle of its own beside the main one, under the name of its source, so
 * that `new URL("./NAME", import.meta.url)` finds it here as it does there.
 */
const WORKERS: readonly string[] = [
  "agent/names/table_builder_worker.ts",
  "agent/server/fast_path_worker.ts",
];

/** Where the binary starts: it says what build it is, and goes on with `main.js`. */
const ENTRY = "outrigger.js";

/** An idle agent with 5,000 names takes 90 MB with it, 104 without (lite mode 107, optimizing for size 123). */
const V8_FLAGS = "--v8-flags=--max-semi-space-size=1";

/**
 * Builds the program.
 *
 * @param target what it is for, e.g. `x86_64-unknown-linux-gnu`
 * @param output the file that it goes to; where the build fails, there is none
 * @returns where the base binary comes from that it was built on
 * @throws when there is no base binary for the target, or what was built does not run
 */
export async function build(target: string, output: string): Promise<BaseOrigin> {
  await Deno.mkdir(dirname(output), { recursive: true });
  await Deno.remove(output).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const work = await Deno.makeTempDir({ prefix: "outrigger-build-" });
  try {
    const { origin, octets } = await baseBinary(target);
    const base = join(work, "denort");
    await Deno.writeFile(base, octets);
    const program = join(work, "program");
    await bundle(program, origin);
    const compiled = join(work, "outrigger");
    await compile(program, { base, target, output: compiled });
    if (target === Deno.build.target) await tryOut(compiled, { origin, work });
    await Deno.copyFile(compiled, output);
    return origin;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Bundles what is compiled into a folder. */
async function bundle(program: string, origin: BaseOrigin): Promise<void> {
  const options = ["bundle", "--quiet", "--platform", "deno", "--minify"];
  await deno([...options, "--code-splitting", "--outdir", program, "agent/main.ts"]);
  for (const worker of WORKERS) {
    await deno([...options, "-o", join(program, basename(worker)), worker]);
  }
  const values = {
    __OUTRIGGER_COMMIT__: await commit(),
    __OUTRIGGER_BASE__: origin,
    __OUTRIGGER_PACKAGES__: (await packagesInside()).map(({ name, version }) =>
      `${name}@${version}`
    ),
  };
  const stamp = `Object.assign(globalThis,${JSON.stringify(values)});\n`;
  // By import(), so that it is evaluated after this.
  await Deno.writeTextFile(join(program, ENTRY), `${stamp}await import("./main.js");\n`);
  // The times of files are in the binary: the same sources give the same octets at any time.
  for await (const { name } of Deno.readDir(program)) await Deno.utime(join(program, name), 0, 0);
}

async function compile(
  program: string,
  { base, target, output }: { base: string; target: string; output: string },
): Promise<void> {
  // The compiler overflows its stack on a cold cache without RUST_MIN_STACK.
  await deno([
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    V8_FLAGS,
    "--target",
    target,
    // Its place is fixed before the program runs: /tmp/deno-compile-NAME.cache, and what anybody has put there
    // in time is run, as root too.
    "--no-code-cache",
    "--unstable-net", // Deno.listenDatagram: agent/system/datagram_socket.ts
    ...PERMISSIONS,
    ...WORKERS.flatMap((worker) => ["--include", join(program, basename(worker))]),
    "-o",
    output,
    join(program, ENTRY),
  ], { DENORT_BIN: base, RUST_MIN_STACK: "8388608" });
}

/** The commit that is built, with `+changes` where files differ from it. */
async function commit(): Promise<string> {
  const git = async (...args: string[]) => (await runToEnd("git", args)).trim();
  try {
    const head = await git("rev-parse", "--short=12", "HEAD");
    return `${head}${await git("status", "--porcelain") === "" ? "" : "+changes"}`;
  } catch {
    return "unknown"; // no git here, or no checkout
  }
}

/** Runs what was built, with a temporary folder of its own, where it may leave nothing. */
async function tryOut(
  program: string,
  { origin, work }: { origin: BaseOrigin; work: string },
): Promise<void> {
  const temporary = join(work, "tmp");
  await Deno.mkdir(temporary);
  const { success, stdout } = await new Deno.Command(program, {
    args: ["version", "--json"],
    env: { TMPDIR: temporary },
  }).output();
  const text = new TextDecoder().decode(stdout);
  const left = await Array.fromAsync(Deno.readDir(temporary), ({ name }) => name);
  if (left.length > 0) throw new Error(`The compiled program left files behind: ${left.join()}`);
  const isRight = success && text.startsWith("{") &&
    JSON.parse(text).base === origin && JSON.parse(text).deno === Deno.version.deno &&
    JSON.parse(text).target === Deno.build.target;
  if (isRight) return;
  throw new Error(
    `The compiled program does not work: use a base binary (${origin}) that is the denort of Deno ` +
      `${Deno.version.deno} for ${Deno.build.target}. \`version --json\` printed "${text.trim()}".`,
  );
}

/** How long the program takes to tell its version, in whole ms: the middle of five. */
async function startMs(program: string): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const startedMs = performance.now();
    await new Deno.Command(program, { args: ["version"] }).output();
    times.push(performance.now() - startedMs);
  }
  return Math.round(times.sort((a, b) => a - b)[2]);
}

function deno(args: string[], env: Record<string, string> = {}): Promise<string> {
  return runToEnd(Deno.execPath(), args, { env: { NO_COLOR: "1", ...env } });
}

if (import.meta.main) {
  const output = "dist/outrigger";
  const target = /^--target=(\S+)$/.exec(Deno.args[0] ?? "")?.[1] ?? Deno.build.target;
  const origin = await build(target, output);
  const { size } = await Deno.stat(output);
  const facts = [`${(size / 1e6).toFixed(1)} MB`, target, `base: ${origin}`];
  if (target === Deno.build.target) facts.push(`\`version\` takes ${await startMs(output)} ms`);
  console.log(`${output}: ${facts.join(", ")}`);
  if (origin === "fallback") console.log("Built on the fallback base: not for release.");
}
