/**
 * One run of the simulated world: a seed decides everything, from the first table to the last lost
 * packet. The real agent answers; the judge looks at every answer.
 *
 * @module
 */
import type { Logger } from "../../agent/system/log.ts";
import { SeededRandom } from "../support/seeded_random.ts";
import { SimulatedVm, VM_ADDRESSES } from "../support/simulated_vm.ts";
import { type Ask, ClientWorld } from "./client_world.ts";
import { Judge, type Limits, PRESENT_LIMITS } from "./judge.ts";
import { MeshHistory, tableEntries } from "./mesh_history.ts";
import { SEARCH_DOMAINS, VERSIONED_NAMES } from "./universe.ts";
import { UpstreamWorld } from "./upstream_world.ts";

/** How a run went. */
export interface SeedResult {
  seed: number;
  /** Broken invariants; a run ends at its first. */
  violations: string[];
  /** Everything that happened, an event a line. */
  trace: string[];
  /** Simulated time, in milliseconds. */
  simulatedMs: number;
  /** Questions of clients. */
  questions: number;
}

/** Octets of the cache for each entry at most: what one of these small answers may cost. */
const CACHE_ENTRY_MAX_BYTES = 2_048;
/** Questions to servers for each of a client at most: rounds over three servers, EDNS and TCP. */
const QUESTIONS_PER_QUESTION = 20;
/** Questions of a flood: past every limit of what may be under way at a time, were one not released. */
const FLOOD_QUESTIONS = 2_100;
/** Between them, so that even servers that are all dead leave less than those limits under way. */
const FLOOD_GAP_MS = 15;
/** How long all is well before the end, in milliseconds: idle connections close, probes find their servers. */
const CALM_MS = 150_000;
/** Timers that may be left when nothing is under way: polls, sweeps, the mesh client's. */
const IDLE_TIMERS_MAX = 20;

/** Plays a seed. */
export async function runSeed(
  seed: number,
  options: { limits?: Limits } = {},
): Promise<SeedResult> {
  const run = new SeedRun(seed, options.limits ?? PRESENT_LIMITS);
  try {
    await run.play();
  } catch (error) {
    if (!(error instanceof Violation)) throw error;
  } finally {
    await run.close();
  }
  return run.result();
}

/** Ends a run. */
class Violation extends Error {}

class SeedRun {
  readonly #seed: number;
  readonly #random: SeededRandom;
  readonly #vm: SimulatedVm;
  readonly #mesh: MeshHistory;
  readonly #upstream: UpstreamWorld;
  readonly #clients: ClientWorld;
  readonly #judge: Judge;
  readonly #limits: Limits;
  readonly #trace: string[] = [];
  readonly #violations: string[] = [];

  constructor(seed: number, limits: Limits) {
    this.#seed = seed;
    this.#limits = limits;
    this.#random = new SeededRandom(seed, "world");
    this.#vm = new SimulatedVm({ seed, log: this.#log() });
    const { network, clock } = this.#vm;
    this.#mesh = new MeshHistory(new SeededRandom(seed, "mesh"));
    this.#upstream = new UpstreamWorld({
      count: this.#random.between(1, 3),
      random: new SeededRandom(seed, "upstream"),
      network,
      tell: (text) => this.#tell(text),
    });
    this.#judge = new Judge({ mesh: this.#mesh, upstream: this.#upstream, limits });
    this.#clients = new ClientWorld({
      host: network.host(VM_ADDRESSES.slice(1)),
      random: new SeededRandom(seed, "clients"),
      now: () => clock.monotonicMs(),
      onFault: (text) => this.#violate(text),
      onAnswer: (ask, answer) => {
        const nowMs = clock.monotonicMs();
        const { packet } = answer;
        const data = packet.answers!.map((record) => "data" in record ? String(record.data) : "");
        this.#tell(`got ${describe(ask)} ${packet.rcode} ${data} ${packet.answers?.at(-1)?.type}`);
        const wrong = this.#judge.judge(ask, answer, nowMs);
        if (wrong !== undefined) this.#violate(`the answer to ${describe(ask)}: ${wrong}`);
      },
    });
  }

  /** Plays all of it, up to the first violation. */
  async play(): Promise<void> {
    const { settings } = this.#vm;
    settings["dns.searchDomains"] = SEARCH_DOMAINS;
    settings["dns.upstreams"] = this.#upstream.servers.map(({ address }) => address.address);
    const random = this.#random;
    if (!random.chance(0.2)) await this.#push();
    await this.#vm.start();
    const phases = random.between(8, 16);
    for (let i = 0; i < phases; i++) {
      if (random.chance(0.01)) await this.#flood();
      else await this.#phase();
      await this.#pass(
        random.chance(0.4) ? random.between(1, 30) * 60_000 : random.between(1, 90) * 1_000,
      );
    }
    await this.#end();
  }

  result(): SeedResult {
    return {
      seed: this.#seed,
      violations: this.#violations,
      trace: this.#trace,
      simulatedMs: this.#vm.clock.monotonicMs(),
      questions: this.#clients.asked,
    };
  }

  async close(): Promise<void> {
    await this.#vm.stop();
    this.#clients.close();
  }

  /** A while of questions, with what changes in the world meanwhile. */
  async #phase(): Promise<void> {
    const random = this.#random;
    for (const server of this.#upstream.servers) {
      if (random.chance(0.5)) this.#upstream.changeMood(server);
    }
    const busy = random.chance(0.06);
    const questions = busy ? random.between(200, 600) : random.between(5, 40);
    const gapMs = random.pick(busy ? [0, 5] : [0, 20, 300, 1_500]);
    for (let i = 0; i < questions; i++) {
      const dice = random.fraction();
      if (dice < 0.02) await this.#push();
      else if (dice < 0.03) this.#vm.clock.jumpWall(random.between(-86_400_000, 86_400_000));
      else if (dice < 0.032) await this.#restart();
      else if (dice < 0.08) this.#upstream.change(random.pick(VERSIONED_NAMES));
      else if (dice < 0.1) this.#upstream.changeMood(random.pick(this.#upstream.servers));
      await this.#ask();
      if (gapMs > 0) await this.#pass(random.between(0, 2 * gapMs));
    }
  }

  /** More different names than the agent has room for at a time, one after the other. */
  async #flood(): Promise<void> {
    this.#tell("flood");
    for (let i = 0; i < FLOOD_QUESTIONS; i++) {
      await this.#clients.ask(this.#clients.drawNew());
      await this.#pass(FLOOD_GAP_MS);
    }
  }

  async #ask(): Promise<void> {
    const ask = this.#clients.draw();
    if (!this.#random.chance(0.08)) {
      await this.#clients.ask(ask);
      this.#tell(`ask ${describe(ask)}`);
      return;
    }
    const asks = Array.from({ length: this.#random.between(1, 5) }, () => this.#clients.draw());
    this.#tell(`ask by TCP ${asks.map(describe).join(", ")}`);
    void this.#clients.askByTcp(asks).catch((error) => this.#violate(`TCP: ${error.message}`));
  }

  async #push(): Promise<void> {
    const table = this.#mesh.draw();
    const entries = tableEntries(table);
    this.#tell(`push ${entries.map(({ host, addresses }) => `${host} ${addresses}`).join(", ")}`);
    // What was sent and not received yet may still meet the table of before.
    this.#mesh.replace(table, this.#vm.clock.monotonicMs());
    if (this.#vm.agent === undefined) this.#vm.saveTable(entries);
    else await this.#vm.push(entries);
  }

  /** What is in flight is answered before the end, and nothing is lost but what is asked in between. */
  async #restart(): Promise<void> {
    await this.#pass(0);
    this.#tell("restart");
    await this.#vm.stop();
    await this.#vm.clock.advance(0);
    const [open] = this.#clients.open;
    if (open !== undefined) this.#violate(`the agent ended, with no answer to ${describe(open)}`);
    await this.#vm.start();
  }

  async #pass(ms: number): Promise<void> {
    await this.#vm.clock.advance(ms);
    this.#check();
  }

  /** What holds at every time. */
  #check(): void {
    if (this.#violations.length > 0) throw new Violation();
    const nowMs = this.#vm.clock.monotonicMs();
    for (const ask of this.#clients.open) {
      if (nowMs - ask.askedMs > this.#limits.deadlineMs) {
        this.#violate(`no answer to ${describe(ask)} in ${nowMs - ask.askedMs} ms`);
      }
    }
    const [leak] = this.#upstream.leaks;
    if (leak !== undefined) this.#violate(`a server was asked ${leak}`);
    const { cache } = this.#vm.agent!.status();
    if (cache.bytes > cache.entries * CACHE_ENTRY_MAX_BYTES || cache.bytes < 0) {
      this.#violate(`the cache has ${cache.bytes} octets in ${cache.entries} entries`);
    }
    if (this.#upstream.questions > QUESTIONS_PER_QUESTION * (this.#clients.asked + 1)) {
      this.#violate(`servers were asked ${this.#upstream.questions} times`);
    }
    if (this.#violations.length > 0) throw new Violation();
  }

  /** What holds once all is quiet: nothing is left open, and the end comes at once. */
  async #end(): Promise<void> {
    await this.#pass(this.#limits.deadlineMs + 1);
    for (const server of this.#upstream.servers) server.mood = { kind: "good" };
    await this.#pass(CALM_MS);
    const { host, clock } = this.#vm;
    const sockets = host.openSockets - 2 * this.#vm.agent!.dnsAddresses.length;
    if (sockets !== 0) this.#violate(`${sockets} sockets are left`);
    if (host.openStreams !== 0) this.#violate(`${host.openStreams} connections are left`);
    if (clock.pendingCount > IDLE_TIMERS_MAX) {
      this.#violate(`${clock.pendingCount} timers are left`);
    }
    const startedMs = clock.monotonicMs();
    await this.#vm.stop();
    const tookMs = clock.monotonicMs() - startedMs;
    if (tookMs > 0) this.#violate(`the end took ${tookMs} ms with nothing in flight`);
  }

  #violate(text: string): void {
    this.#tell(`VIOLATION ${text}`);
    this.#violations.push(text);
  }

  #tell(text: string): void {
    this.#trace.push(`${(this.#vm?.clock.monotonicMs() / 1000).toFixed(3)} ${text}`);
  }

  /** Faults of our own are violations; warnings are part of the trace. */
  #log(): Logger {
    return {
      debug() {},
      info() {},
      warn: (message) => this.#tell(`warn ${message}`),
      error: (message, fields) => this.#violate(`${message} ${JSON.stringify(fields)}`),
      child: () => this.#log(),
    };
  }
}

function describe({ name, type, dnssecOk, transport, id }: Ask): string {
  return `#${id} ${name} ${type}${dnssecOk ? " DO" : ""}${transport === "TCP" ? " by TCP" : ""}`;
}
