/**
 * `deno task bench`: outrigger and its peers under the same load, in one run.
 *
 * usage: bench.ts [--rounds=N] [--seconds=S] [--only=WORKLOAD,…] [--peers=NAME,…] [--out=FILE] [--short]
 *   --short  mesh hits of outrigger against unbound's alone; fails where they cost more
 *
 * It runs in a network namespace of its own: nothing reaches a network, every port is free, and the
 * machine's packet filter stays as it is.
 *
 * @module
 */
import { dirname, join } from "node:path";
import process from "node:process";
import { runToEnd } from "../support/child_process.ts";
import { requirePrograms } from "../support/required_programs.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { startAuthority } from "./authority.ts";
import { parseBenchOptions } from "./bench_options.ts";
import { cProgram } from "./c_programs.ts";
import { CLIENT_CORE } from "./measured_server.ts";
import { type Effort, measureWorkload } from "./measure_workload.ts";
import { PEERS } from "./peers/all_peers.ts";
import { plotResult } from "./plot.ts";
import type { BenchResult, WorkloadResult } from "./results.ts";
import { formatResult } from "./result_table.ts";
import { SPECIAL_WORKLOADS } from "./special_workloads.ts";
import { checkTargets, formatChecks, SHORT_TARGETS } from "./targets.ts";
import { WORKLOADS } from "./workloads.ts";

const INSIDE = "BENCH_INSIDE";

async function main(): Promise<number> {
  const known = {
    workloads: [...WORKLOADS, ...SPECIAL_WORKLOADS].map(({ name }) => name),
    peers: PEERS.map(({ name }) => name),
  };
  const options = parseBenchOptions(Deno.args, known);
  const peers = PEERS.filter(({ name }) => options.peers?.includes(name) ?? true);
  if (Deno.env.get(INSIDE) === undefined) {
    // What may take the network.
    for (const peer of peers) await peer.prepare();
    await requirePrograms([
      { program: "knotd", package: "knot" },
      { program: "ss", package: "iproute2" },
      { program: "taskset", package: "util-linux" },
    ]);
    return await again();
  }
  await setUpNetwork();
  for (const program of ["saturate", "latency_probe"] as const) await cProgram(program);
  await using directory = await TemporaryDirectory.make();
  await using _authority = await startAuthority(join(directory.path, "knot"), CLIENT_CORE);
  const effort: Effort = {
    ...options,
    folder: directory.path,
    log: (line) => console.error(line),
  };
  const result: BenchResult = {
    date: new Date().toISOString(),
    machine: await machine(),
    rounds: options.rounds,
    seconds: options.seconds,
    versions: {},
    workloads: [],
  };
  for (const peer of peers) result.versions[peer.name] = await peer.version();
  const isWanted = ({ name }: { name: string }) => options.only?.includes(name) ?? true;
  const measured = async (found: WorkloadResult) => {
    result.workloads.push(found);
    // What was measured is kept, should a later workload fail.
    await Deno.mkdir(dirname(options.out), { recursive: true });
    await Deno.writeTextFile(options.out, JSON.stringify(result, null, 2) + "\n");
    await Deno.writeTextFile(options.out.replace(/(\.json)?$/, ".svg"), plotResult(result));
  };
  for (const workload of WORKLOADS.filter(isWanted)) {
    const short = options.short ? { ...workload, rates: [] } : workload;
    await measured(await measureWorkload(short, peers, effort));
  }
  for (const { measure } of SPECIAL_WORKLOADS.filter(isWanted)) {
    await measured(await measure(peers, effort));
  }
  console.log(formatResult(result));
  if (options.short) {
    const checks = checkTargets(result, SHORT_TARGETS);
    console.log(formatChecks(checks));
    return checks.every(({ verdict }) => verdict === "met") ? 0 : 1;
  }
  console.log(formatChecks(checkTargets(result)));
  return 0;
}

/** Loopback, and a link that leads nowhere: systemd-resolved asks nobody while there is none. */
async function setUpNetwork(): Promise<void> {
  await runToEnd("ip", ["-batch", "-"], {
    stdin: [
      "link set lo up",
      "link add bench0 type veth peer name bench1",
      "link set bench0 up",
      "link set bench1 up",
      "address add 192.0.2.1/24 dev bench0",
      "",
    ].join("\n"),
  });
}

/** Runs this program again, in namespaces of its own. */
async function again(): Promise<number> {
  const child = new Deno.Command("unshare", {
    args: [
      ...process.getuid!() === 0 ? [] : ["--map-root-user"],
      // What this program does itself, the control plane among it, is not done on the servers' core.
      ...["--net", "--mount", "taskset", "-c", `${CLIENT_CORE}`],
      ...[Deno.execPath(), "run", "--allow-all", "--quiet"],
      ...[import.meta.filename!, ...Deno.args],
    ],
    env: { [INSIDE]: "1" },
    stdin: "null",
  }).spawn();
  return (await child.status).code;
}

async function machine(): Promise<BenchResult["machine"]> {
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  return {
    processor: /^model name\s*:\s*(.*)$/m.exec(cpuinfo)?.[1] ?? "unknown",
    cores: cpuinfo.match(/^processor\s*:/gm)?.length ?? 1,
    memoryGb: Math.round(Deno.systemMemoryInfo().total / 1e9),
    kernel: Deno.osRelease(),
  };
}

Deno.exit(
  await main().catch((error) => {
    console.error(error instanceof Error ? error.message : error);
    return 2;
  }),
);
