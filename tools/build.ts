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
import { basename, join } from "node:path";
import { fallbackBase, whyNoBase } from "./denort_base.ts";
import { architectureOf } from "./denort_elf.ts";
import { withoutSymbols } from "./elf_symbols.ts";
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

/** How long a compile may take that first downloads Deno's base binary, some 40 MB. */
const DOWNLOAD_TIMEOUT_MS = 300_000;

const TARGET = /^--target=(\S+)$/.exec(Deno.args[0] ?? "")?.[1] ?? Deno.build.target;
/** Whether what is built can be run here. */
const RUNS_HERE = TARGET === Deno.build.target;

const dist = join(Deno.cwd(), "dist");
const target = join(dist, "outrigger");
await Deno.mkdir(dist, { recursive: true });
// A build that fails leaves no binary of an earlier one.
await Deno.remove(target).catch((error) => {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
});
const work = await Deno.makeTempDir({ prefix: "outrigger-build-" });
const program = join(work, "program");
const temporary = join(work, "tmp");
await Deno.mkdir(temporary);
try {
  await bundle("agent/main.ts", "--code-splitting", "--outdir", program);
  for (const worker of WORKERS) await bundle(worker, "-o", join(program, basename(worker)));
  const compiled = join(work, "outrigger");
  const base = await compile(compiled);
  await checkProgram(compiled, base);
  await Deno.copyFile(compiled, target);
  await report(base);
} finally {
  await Deno.remove(work, { recursive: true });
}

function bundle(source: string, ...output: string[]): Promise<void> {
  return deno(["bundle", "--quiet", "--platform", "deno", "--minify", ...output, source]);
}

/** Compiles with the first base binary that can be had; returns which. */
async function compile(output: string): Promise<string> {
  const given = Deno.env.get("DENORT_BIN");
  if (given) {
    await compileWith(output, { base: "env", env: { DENORT_BIN: await stripped(given) } });
    return "env";
  }
  try {
    await compileWith(output, { base: "deno", timeoutMs: DOWNLOAD_TIMEOUT_MS });
    return "deno";
  } catch (error) {
    const reason = (error as Error).name === "TimeoutError"
      ? `no answer in ${DOWNLOAD_TIMEOUT_MS / 1000} s`
      : whyNoBase((error as Error).message);
    // Anything else is a fault that another base would not mend.
    if (reason === undefined) throw error;
    console.log(`Deno's own base binary cannot be had: ${reason}`);
  }
  await compileWith(output, {
    base: "fallback",
    env: { DENORT_BIN: await stripped(await fallbackBase(TARGET)) },
  });
  console.log("Built on the fallback base: not for release.");
  return "fallback";
}

/** A copy of a base binary without its symbols. (Deno's own download is where nobody else can reach it.) */
async function stripped(base: string): Promise<string> {
  const path = join(work, "denort");
  await Deno.writeFile(path, withoutSymbols(await Deno.readFile(base)), { mode: 0o755 });
  return path;
}

async function compileWith(
  output: string,
  { base, env = {}, timeoutMs }: {
    base: string;
    env?: Record<string, string>;
    timeoutMs?: number;
  },
): Promise<void> {
  const values = {
    __OUTRIGGER_COMMIT__: await commit(),
    __OUTRIGGER_BASE__: base,
    __OUTRIGGER_PACKAGES__: (await packagesInside()).map(({ name, version }) =>
      `${name}@${version}`
    ),
  };
  const stamp = `Object.assign(globalThis,${JSON.stringify(values)});\n`;
  // By import(), so that it is evaluated after this.
  await Deno.writeTextFile(join(program, ENTRY), `${stamp}await import("./main.js");\n`);
  // The times of files are in the binary: the same sources give the same octets at any time.
  for await (const { name } of Deno.readDir(program)) await Deno.utime(join(program, name), 0, 0);
  // The compiler overflows its stack on a cold cache without RUST_MIN_STACK.
  await deno([
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    V8_FLAGS,
    "--target",
    TARGET,
    // Its place is fixed before the program runs: /tmp/deno-compile-NAME.cache, and what anybody has put there
    // in time is run, as root too.
    "--no-code-cache",
    "--unstable-net", // Deno.listenDatagram: agent/system/datagram_socket.ts
    ...PERMISSIONS,
    ...WORKERS.flatMap((worker) => ["--include", join(program, basename(worker))]),
    "-o",
    output,
    join(program, ENTRY),
  ], { env: { ...env, RUST_MIN_STACK: "8388608" }, timeoutMs });
}

/** The commit that is built, with `+changes` where files differ from it. */
async function commit(): Promise<string> {
  const git = async (...args: string[]) => {
    const { success, stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  };
  try {
    const head = await git("rev-parse", "--short=12", "HEAD");
    if (head === undefined) return "unknown";
    return `${head}${await git("status", "--porcelain") === "" ? "" : "+changes"}`;
  } catch {
    return "unknown"; // no git here
  }
}

/** `deno compile` takes any ELF file for a base, so what it made must say what it is. */
async function checkProgram(program: string, base: string): Promise<void> {
  const architecture = architectureOf(await Deno.readFile(program));
  if (architecture === undefined || !TARGET.startsWith(`${architecture}-`)) {
    throw new Error(
      `The base binary (${base}) is for ${architecture ?? "something else"}, not ${TARGET}`,
    );
  }
  if (!RUNS_HERE) return;
  const { success, stdout } = await run(program, ["version", "--json"]);
  const text = new TextDecoder().decode(stdout);
  const left = await Array.fromAsync(Deno.readDir(temporary), ({ name }) => name);
  if (left.length > 0) throw new Error(`The compiled program left files behind: ${left.join()}`);
  const isRight = success && text.startsWith("{") &&
    JSON.parse(text).base === base && JSON.parse(text).deno === Deno.version.deno &&
    JSON.parse(text).target === Deno.build.target;
  if (isRight) return;
  throw new Error(
    `The compiled program does not work: use a base binary (${base}) that is the denort of Deno ` +
      `${Deno.version.deno} for ${Deno.build.target}. \`version --json\` printed "${text.trim()}".`,
  );
}

async function report(base: string): Promise<void> {
  const { size } = await Deno.stat(target);
  if (!RUNS_HERE) {
    return console.log(`dist/outrigger: ${(size / 1e6).toFixed(1)} MB, ${TARGET}, base: ${base}`);
  }
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const startedMs = performance.now();
    await run(target, ["version"]);
    times.push(performance.now() - startedMs);
  }
  const median = times.slice(1).sort((a, b) => a - b)[2];
  console.log(
    `dist/outrigger: ${(size / 1e6).toFixed(1)} MB, \`version\` takes ${median.toFixed(0)} ms, ` +
      `base: ${base}`,
  );
}

/** Runs the program with a temporary folder of its own, where it may leave nothing. */
function run(program: string, args: string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(program, { args, env: { TMPDIR: temporary } }).output();
}

/** Runs Deno; throws what it says when it fails, and a TimeoutError when it takes too long. */
async function deno(
  args: string[],
  { env = {}, timeoutMs }: { env?: Record<string, string>; timeoutMs?: number } = {},
): Promise<void> {
  const signal = timeoutMs === undefined ? undefined : AbortSignal.timeout(timeoutMs);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
    signal,
  }).output();
  signal?.throwIfAborted();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}
