/**
 * One workload on all servers that can take it: started together, measured in turn, round by round.
 *
 * @module
 */
import { join } from "node:path";
import { systemClock } from "../../agent/system/clock.ts";
import { runToEnd } from "../support/child_process.ts";
import { FakeControlPlane } from "../support/fake_control_plane.ts";
import { meshHosts, queryLines } from "./bench_names.ts";
import { type Expectation, whyVoid } from "./client_output.ts";
import { AUTHORITY_ADDRESS } from "./authority.ts";
import { type Client, MeasuredServer } from "./measured_server.ts";
import type { Peer, PeerSite } from "./peers/peer.ts";
import { type Round, rowOf, type WorkloadResult } from "./results.ts";
import type { Metrics } from "./statistics.ts";
import type { Workload } from "./workloads.ts";

/** Address that servers listen on. */
export const SERVER_ADDRESS = "127.0.0.1";
/** Port of the first server; the others follow. */
export const FIRST_PORT = 5_300;
/** The fastest forwarder here takes no more unique names in a second. */
const MISSES_A_SECOND = 80_000;
/** A round that is void is tried again so often. */
const TRIES = 3;
/** The same in a short run, which fails where nothing could be measured. */
const SHORT_TRIES = 10;
/** The receive buffer that servers have which ask for none. */
const RECEIVE_BUFFER = Number(Deno.readTextFileSync("/proc/sys/net/core/rmem_default"));

/** How long and how often is measured. */
export interface Effort {
  /** Rounds. */
  rounds: number;
  /** Seconds of each client run. */
  seconds: number;
  /** Whether it is the short run. */
  short: boolean;
  /** For files. */
  folder: string;
  /** Tells what goes on. */
  log: (line: string) => void;
}

/** Measures a workload. */
export async function measureWorkload(
  workload: Workload,
  peers: readonly Peer[],
  effort: Effort,
): Promise<WorkloadResult> {
  await using stack = new AsyncDisposableStack();
  const servers: MeasuredServer[] = [];
  const failed = new Map<string, string>();
  for (const [i, peer] of peers.filter((peer) => takesPart(peer, workload)).entries()) {
    const site = await siteOf(workload.hosts, { peer, index: i, folder: effort.folder, stack });
    try {
      servers.push(stack.use(await MeasuredServer.start(peer, site)));
    } catch (error) {
      failed.set(peer.name, (error as Error).message.slice(0, 1_000));
      effort.log(`${peer.name} cannot be measured: ${(error as Error).message}`);
    }
  }
  const run = new WorkloadRun(workload, effort);
  await run.warmUp(servers);
  for (const server of servers) server.pause();
  const rounds = new Map<string, Round[]>(servers.map(({ peer }) => [peer.name, []]));
  for (let round = 1; round <= effort.rounds; round++) {
    for (const server of servers) {
      server.resume();
      const measured = await run.measure(server);
      server.pause();
      rounds.get(server.peer.name)!.push(measured);
      effort.log(
        `${workload.name} ${round}/${effort.rounds} ${server.peer.name} ${brief(measured)}`,
      );
    }
  }
  return {
    name: workload.name,
    title: workload.title,
    ...(workload.note !== undefined && { note: workload.note }),
    rows: [
      ...[...rounds].map(([peer, measured]) => rowOf(peer, measured)),
      ...[...failed].map(([peer, reason]) => ({ peer, rounds: [], spreads: {}, void: [reason] })),
    ],
  };
}

/** A server's place, with a control plane that has the names. */
export async function siteOf(
  hosts: number,
  { peer, index, folder, stack }: {
    peer: Peer;
    index: number;
    folder: string;
    stack: AsyncDisposableStack;
  },
): Promise<PeerSite> {
  const entries = meshHosts(hosts);
  const controlPlane = stack.use(await FakeControlPlane.start(systemClock));
  controlPlane.response = () => FakeControlPlane.table(entries);
  return {
    folder: join(folder, `${peer.name}-${crypto.randomUUID().slice(0, 8)}`),
    address: SERVER_ADDRESS,
    port: FIRST_PORT + index,
    hosts: entries,
    upstream: AUTHORITY_ADDRESS,
    controlPlane,
  };
}

function takesPart(peer: Peer, { needs, peers }: Workload): boolean {
  return needs.every((ability) => peer.abilities.includes(ability)) &&
    (peers === undefined || peers.includes(peer.name));
}

/** Its rounds, each with queries of its own where names must not repeat. */
class WorkloadRun {
  readonly #workload: Workload;
  readonly #effort: Effort;
  readonly #hosts;
  #files = 0;
  #shared: QueryFile | undefined;

  constructor(workload: Workload, effort: Effort) {
    this.#workload = workload;
    this.#effort = effort;
    this.#hosts = meshHosts(workload.hosts);
  }

  /** Fills the caches. */
  async warmUp(servers: readonly MeasuredServer[]): Promise<void> {
    if (this.#workload.mix.cached === undefined) return;
    const { path } = await this.#queryFile({ cached: 1 }, 0);
    for (const server of servers) {
      await server.run({ program: "latency_probe", queries: path, seconds: 1, rate: 2_000 });
    }
  }

  /** One round of one server; tried again while it is void. */
  async measure(server: MeasuredServer): Promise<Round> {
    for (let tries = 1;; tries++) {
      const round = await this.#try(server);
      if (round.voids.length === 0 || tries >= (this.#effort.short ? SHORT_TRIES : TRIES)) {
        return round;
      }
    }
  }

  async #try(server: MeasuredServer): Promise<Round> {
    const metrics: Metrics = {};
    const voids: string[] = [];
    const { seconds } = this.#effort;
    const buffer = await server.receiveBuffer();
    if (buffer !== RECEIVE_BUFFER) voids.push(`SO_RCVBUF is ${buffer}, not ${RECEIVE_BUFFER}`);
    const run = async (client: ClientWithoutQueries, atMost: number) => {
      const file = await this.#file(atMost);
      const measured = await server.run(
        { ...client, queries: file.path } as Client,
        this.#workload.redirected ? { port: 53 } : {},
      );
      const { output } = measured;
      const expected = this.#expected(file, server.peer);
      voids.push(...whyVoid(output, { ...measured, expected }));
      metrics.lost = (metrics.lost ?? 0) + output.sent - output.answered;
      return measured;
    };
    if (this.#workload.redirected) await redirectTo(server.port);
    const program = this.#workload.client ?? "saturate";
    const { output, cpuUs, clientBusy } = await run(
      { program, seconds },
      MISSES_A_SECOND * seconds,
    );
    Object.assign(metrics, {
      queriesPerSecond: output.answered / output.seconds!,
      cpuUs,
      clientBusy,
      octets: output.octets / output.answered,
      residentBytes: await server.residentBytes(),
    });
    for (const rate of this.#workload.rates ?? []) {
      const at = await run({ program: "latency_probe", seconds, rate }, rate * seconds);
      const { p50Us, p99Us, p999Us, maxUs, sentLateP99Us } = at.output;
      metrics[`cpuUsAt${rate}`] = at.cpuUs;
      Object.assign(
        metrics,
        prefixed(`at${rate}`, { p50Us, p99Us, p999Us, maxUs, sentLateP99Us } as Metrics),
      );
    }
    return { metrics, voids: [...new Set(voids)] };
  }

  /** What the answers to a file's queries must look like. */
  #expected({ octets, count }: QueryFile, peer: Peer): Expectation {
    const { mix, records } = this.#workload;
    // An address record of which the name points at the question's has 16 octets.
    const compact = records === 1 && !peer.writesNamesOut && mix.misses !== 1;
    return {
      records,
      ...(compact && { octets: octets + 16 }),
      ...(mix.misses === 1 && { uniqueNames: count }),
    };
  }

  async #file(atMost: number): Promise<QueryFile> {
    if (this.#workload.mix.misses === undefined) {
      return this.#shared ??= await this.#queryFile(this.#workload.mix, atMost);
    }
    // What an earlier run asked is in the caches.
    return await this.#queryFile(this.#workload.mix, atMost);
  }

  async #queryFile(mix: Workload["mix"], count: number): Promise<QueryFile> {
    const tag = `r${this.#files++}`;
    const lines = queryLines(mix, { hosts: this.#hosts, tag, count, seed: 20261125 });
    const path = join(this.#effort.folder, `${this.#workload.name}-${tag}.queries`);
    await Deno.writeTextFile(path, lines.join("\n") + "\n");
    // A query has 12 octets before its name, which has two more than its text, and 4 behind it.
    const octets = lines.reduce((sum, line) => sum + line.length - 2 + 18, 0) / lines.length;
    return { path, octets, count: lines.length };
  }
}

type ClientWithoutQueries = Client extends infer C ? C extends Client ? Omit<C, "queries"> : never
  : never;

interface QueryFile {
  path: string;
  /** Of a query, on average. */
  octets: number;
  count: number;
}

function prefixed(prefix: string, metrics: Metrics): Metrics {
  return Object.fromEntries(
    Object.entries(metrics).map(([name, value]) => [`${prefix}_${name}`, value]),
  );
}

/** Leads what is sent to port 53 of the servers' address to another port. */
async function redirectTo(port: number): Promise<void> {
  await runToEnd("nft", ["-f", "-"], {
    stdin: `table ip outrigger_bench
delete table ip outrigger_bench
table ip outrigger_bench {
  chain output {
    type nat hook output priority -100;
    ip daddr ${SERVER_ADDRESS} udp dport 53 redirect to :${port}
  }
}
`,
  });
}

function brief({ metrics, voids }: Round): string {
  const { queriesPerSecond, cpuUs, lost } = metrics;
  return `${Math.round(queriesPerSecond)} q/s, ${cpuUs.toFixed(2)} us, ${lost} lost` +
    (voids.length > 0 ? `; void: ${voids.join("; ")}` : "");
}
