/**
 * A server under measurement: started on its core, asked by a client on another, and its CPU time,
 * memory and socket looked at from outside.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { Child, runToEnd } from "../support/child_process.ts";
import { askOnce } from "./ask_once.ts";
import { cProgram } from "./c_programs.ts";
import { type ClientOutput, parseDnsperf } from "./client_output.ts";
import type { Peer, PeerSite } from "./peers/peer.ts";
import {
  busyBetween,
  coreTicks,
  nanosecondsBetween,
  threadTimes,
  untilQuiet,
} from "./processor.ts";

/** The core of the servers. */
export const SERVER_CORE = 0;
/** The core of the clients, and of the nameserver behind. */
export const CLIENT_CORE = 1;
/** Queries under way at once where a server is to be saturated. */
export const WINDOW = 100;

/** How long a server may still work on what the client before left behind, in milliseconds. */
const QUIET_TIMEOUT_MS = 5_000;

/** How a client asks. */
export type Client =
  | { program: "saturate"; queries: string; seconds: number }
  | { program: "dnsperf"; queries: string; seconds: number }
  | { program: "latency_probe"; queries: string; seconds: number; rate: number };

/** One run of a client. */
export interface ClientRun {
  /** What it printed; of dnsperf, what it says of the same. */
  output: ClientOutput;
  /** CPU time of the server for an answer, in microseconds. */
  cpuUs: number;
  /** How busy the client's core was, of 1. */
  clientBusy: number;
  /** How much of the server's core went to others, of 1. */
  serverCoreOthers: number;
}

/** One running server. */
export class MeasuredServer implements AsyncDisposable {
  /** What it is. */
  readonly peer: Peer;
  readonly #child: Child;
  readonly #site: PeerSite;
  /** Milliseconds from its start to its first answer. */
  readonly firstAnswerMs: number;

  private constructor(
    options: { peer: Peer; child: Child; site: PeerSite; firstAnswerMs: number },
  ) {
    this.peer = options.peer;
    this.#child = options.child;
    this.#site = options.site;
    this.firstAnswerMs = options.firstAnswerMs;
  }

  /**
   * Starts one on its core and waits until it answers.
   *
   * @param command instead of the peer's own
   * @throws with the end of its log when it does not within two minutes
   */
  static async start(
    peer: Peer,
    site: PeerSite,
    { command }: { command?: string[] } = {},
  ): Promise<MeasuredServer> {
    await Deno.mkdir(site.folder, { recursive: true });
    command ??= await peer.command(site);
    const startedMs = performance.now();
    const child = new Child("taskset", {
      args: ["-c", `${SERVER_CORE}`, ...command],
      cwd: site.folder,
      logPath: `${site.folder}/${peer.name}.log`,
    });
    try {
      const { name, records } = firstQuestion(site.hosts);
      const accept = (answer: { records: number }) => answer.records >= records;
      const firstAnswer = () => askOnce({ ...site, name, everyMs: 2, timeoutMs: 1_000, accept });
      await child.until(async () => await firstAnswer(), `${peer.name} answers`, 120_000);
      const firstAnswerMs = performance.now() - startedMs;
      return new MeasuredServer({ peer, child, site, firstAnswerMs });
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    }
  }

  /** The command line of a client that asks this server. */
  async #clientCommand(client: Client, port: number): Promise<string[]> {
    const { address } = this.#site;
    if (client.program === "dnsperf") {
      return [
        ...["dnsperf", "-s", address, "-p", `${port}`, "-d", client.queries],
        ...["-l", `${client.seconds}`, "-c", "2", "-T", "2", "-q", `${WINDOW}`],
      ];
    }
    const how = client.program === "saturate" ? WINDOW : client.rate;
    const program = await cProgram(client.program);
    return [program, address, `${port}`, client.queries, `${how}`, `${client.seconds}`];
  }

  /**
   * Runs a client and takes what it cost.
   *
   * @param port where the client sends to, unless it is the server's own
   */
  async run(client: Client, { port = this.#site.port } = {}): Promise<ClientRun> {
    const command = await this.#clientCommand(client, port);
    await untilQuiet(SERVER_CORE, QUIET_TIMEOUT_MS);
    const before = await this.#reading();
    const text = await runToEnd("taskset", ["-c", `${CLIENT_CORE}`, ...command]);
    const after = await this.#reading();
    const output = client.program === "dnsperf"
      ? ofDnsperf(text)
      : JSON.parse(text) as ClientOutput;
    const ns = nanosecondsBetween(before.threads, after.threads);
    const own = ns / 1e6 / (after.timeMs - before.timeMs);
    return {
      output,
      cpuUs: ns / 1_000 / Math.max(1, output.answered),
      clientBusy: busyBetween(before.clientCore, after.clientCore),
      serverCoreOthers: Math.max(0, busyBetween(before.serverCore, after.serverCore) - own),
    };
  }

  async #reading() {
    return {
      serverCore: await coreTicks(SERVER_CORE),
      clientCore: await coreTicks(CLIENT_CORE),
      threads: await threadTimes(this.pid),
      timeMs: performance.now(),
    };
  }

  /** Where it listens. */
  get port(): number {
    return this.#site.port;
  }

  /** Its process id. */
  get pid(): number {
    return this.#child.pid;
  }

  /** Its resident memory now, in octets. */
  residentBytes(): Promise<number> {
    return this.#child.residentBytes();
  }

  /** What the kernel holds for its UDP socket at most (SO_RCVBUF), in octets. */
  async receiveBuffer(): Promise<number> {
    const text = await runToEnd("ss", ["-uanmH", "sport", "=", `:${this.#site.port}`]);
    return Number(/\brb(\d+)/.exec(text)?.[1] ?? NaN);
  }

  /** Keeps it from doing anything while another one is measured. */
  pause(): void {
    this.#child.signal("SIGSTOP");
  }

  /** Lets it go on. */
  resume(): void {
    this.#child.signal("SIGCONT");
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

/** What shows that all names are served: the last one. Without names, any answer will do. */
function firstQuestion(hosts: readonly HostEntry[]): { name: string; records: number } {
  const last = hosts.at(-1);
  return last === undefined ? { name: "localhost", records: 0 } : { name: last.host, records: 1 };
}

/** dnsperf looks at no more than the RCODE: what it does not say counts as it should be. */
function ofDnsperf(text: string): ClientOutput {
  const { sent, answered, failed, queriesPerSecond } = parseDnsperf(text);
  const seconds = answered / queriesPerSecond;
  return { sent, answered, failed, records: answered, octets: NaN, seconds };
}
