/**
 * `deno task build`: bundles the program and compiles it into dist/outrigger for this machine.
 *
 * The bundle is made by `deno bundle`, which is esbuild with Deno's own resolution; compiling the bundle
 * gives a smaller and faster binary than compiling the sources.
 *
 * @module
 */
import { join } from "node:path";
import { fallbackBase } from "./denort_base.ts";

/** What the binary may do, and why. */
const PERMISSIONS = [
  "--allow-net", // DNS, the control plane, health: addresses come from the configuration
  "--allow-read", // configuration, names, token and roots: paths come from the configuration
  "--allow-write", // the state folder: its path comes from the configuration
  "--allow-env", // OUTRIGGER_*, NO_COLOR; gRPC reads its own
  "--allow-sys=hostname,networkInterfaces,osRelease,uid", // node name and addresses; gRPC's user agent
];

const dist = join(Deno.cwd(), "dist");
const target = join(dist, "outrigger");
await Deno.mkdir(dist, { recursive: true });
const work = await Deno.makeTempDir({ prefix: "outrigger-build-" });
try {
  const bundle = join(work, "outrigger.js");
  await deno([
    "bundle",
    "--quiet",
    "--platform",
    "deno",
    "--minify",
    "-o",
    bundle,
    "agent/main.ts",
  ]);
  const base = await compile(bundle);
  await report(base);
} finally {
  await Deno.remove(work, { recursive: true });
}

/** Compiles with the first base binary that can be had; returns which. */
async function compile(bundle: string): Promise<string> {
  if (Deno.env.get("DENORT_BIN")) {
    await compileWith(bundle, "env", {});
    return "env";
  }
  try {
    await compileWith(bundle, "deno", {});
    return "deno";
  } catch (error) {
    // The second of the causes that Deno lists names the download and what kept it.
    const reason = /^ +1: (.*)/m.exec((error as Error).message)?.[1];
    console.log(
      `Deno's own base binary cannot be had (${reason ?? (error as Error).message.trim()}).`,
    );
  }
  const path = await fallbackBase();
  await compileWith(bundle, "fallback", { DENORT_BIN: path });
  console.log("Built on the fallback base: not for release.");
  return "fallback";
}

async function compileWith(
  bundle: string,
  base: string,
  env: Record<string, string>,
): Promise<void> {
  const stamped = `${bundle.slice(0, -3)}-${base}.js`;
  const values = { __OUTRIGGER_COMMIT__: await commit(), __OUTRIGGER_BASE__: base };
  const stamp = `Object.assign(globalThis,${JSON.stringify(values)});\n`;
  await Deno.writeTextFile(stamped, stamp + await Deno.readTextFile(bundle));
  await deno([
    "compile",
    "--quiet",
    "--no-check",
    "--no-config",
    ...PERMISSIONS,
    "-o",
    target,
    stamped,
  ], { ...env, RUST_MIN_STACK: "8388608" });
}

async function commit(): Promise<string> {
  const git = async (...args: string[]) => {
    const { stdout } = await new Deno.Command("git", { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout).trim();
  };
  try {
    const changed = await git("status", "--porcelain");
    return `${await git("rev-parse", "--short=12", "HEAD")}${changed === "" ? "" : "+changes"}`;
  } catch {
    return "unknown";
  }
}

async function report(base: string): Promise<void> {
  const { size } = await Deno.stat(target);
  const times: number[] = [];
  for (let i = 0; i < 6; i++) {
    const startedMs = performance.now();
    const { success } = await new Deno.Command(target, { args: ["version"] }).output();
    if (!success) throw new Error(`${target} version fails`);
    times.push(performance.now() - startedMs);
  }
  const median = times.slice(1).sort((a, b) => a - b)[2];
  console.log(
    `dist/outrigger: ${(size / 1e6).toFixed(1)} MB, \`version\` takes ${median.toFixed(0)} ms, ` +
      `base: ${base}`,
  );
}

async function deno(args: string[], env: Record<string, string> = {}): Promise<void> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    stdout: "null",
  }).output();
  if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
}
