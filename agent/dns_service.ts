/**
 * Serving DNS: the listeners, the handler of queries, and the fast path before them where this machine
 * lets it.
 *
 * @module
 */
import { AllowedClients } from "./allowed_clients.ts";
import type { AnswerCache } from "./cache/answer_cache.ts";
import { HotCache } from "./cache/hot_cache.ts";
import type { Config } from "./config/config.ts";
import type { FastPathStatus } from "./health/api.ts";
import type { AgentMetrics } from "./metrics/agent_metrics.ts";
import type { MeshState, Resolver } from "./resolver/resolver.ts";
import { DnsServer } from "./server/dns_server.ts";
import { finishedHash, hashOctets } from "./names/table_layout.ts";
import { TableReader } from "./names/table_reader.ts";
import { FastPathError } from "./server/errors.ts";
import { FastPath } from "./server/fast_path.ts";
import { QueryHandler } from "./server/query_handler.ts";
import { messageOf } from "./system/agent_error.ts";
import { bootTimeMs } from "./system/boot_clock.ts";
import type { InheritedSocket } from "./system/inherited_sockets.ts";
import type { Logger } from "./system/log.ts";
import type { SocketAddress } from "./system/socket_address.ts";
import type { World } from "./system/world.ts";
import type { LoopProbe } from "./upstream/loop_probe.ts";

/** What a {@link DnsService} is made of. */
export interface DnsServiceOptions {
  /** The machine. */
  world: World;
  /** The configuration in force. */
  config: () => Config;
  /** Answers questions. */
  resolver: Resolver;
  /** Sockets that are open already: see {@link DnsServer}. */
  inherited?: readonly InheritedSocket[];
  /** What upstream servers said. */
  cache: AnswerCache;
  /** Knows the agent's own questions. */
  loopProbe: LoopProbe;
  /** Counts. */
  metrics: AgentMetrics;
  /** Where it reports. */
  log: Logger;
}

/** How often what the fast path's workers counted is taken over, in milliseconds. */
const FOLD_MS = 1_000;

/** Serves DNS on the addresses of the configuration. */
export class DnsService {
  readonly #options: DnsServiceOptions;
  readonly #server: DnsServer;
  /** Both or none. */
  #fastPath: FastPath | undefined;
  #whyOff = "not started yet";
  #hotCache: HotCache | undefined;
  #cancelFold: (() => void) | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(options: DnsServiceOptions) {
    const { world, config, resolver, loopProbe, metrics, log } = options;
    this.#options = options;
    const handler = new QueryHandler({
      ...world,
      resolver,
      isLoopProbe: (name) => loopProbe.onQuery(name),
      observer: metrics,
      onCacheHit: (kept) => this.#hotCache?.promote(kept, world.clock.monotonicMs()),
      log,
    });
    const allowed = new AllowedClients({ ...world, config });
    this.#server = new DnsServer({
      ...world,
      handler,
      inherited: options.inherited,
      fastPath: () => this.#fastPath,
      isAllowed: (client) => allowed.has(client),
      receiveBufferBytes: () => config().dns.receiveBuffer,
      log,
    });
  }

  /**
   * Starts the fast path, before the first listener is opened.
   *
   * @throws {FastPathError} where the configuration insists on it and this machine does not let it
   */
  async start({ dns }: Config, mesh: MeshState): Promise<void> {
    const { world, cache, log } = this.#options;
    // The workers' sockets are the kernel's: a network of tests knows nothing of them.
    if (dns.fastPath === "off" || !world.network.isKernel) {
      this.#whyOff = world.network.isKernel ? "dns.fastPath is off" : "no network of the kernel";
      return;
    }
    try {
      const { seed } = new TableReader(mesh.table.buffer);
      const hotCache = new HotCache({
        cache,
        hashOf: (name) => finishedHash(hashOctets(seed, name, 0, name.length)),
        bootOffsetMs: () => bootTimeMs() - world.clock.monotonicMs(),
      });
      const options = { ...world, workers: dns.workers, cache: hotCache.memory, log };
      const { buffer } = mesh.table;
      this.#fastPath = await FastPath.start(options, { buffer, view: mesh.view });
      this.#hotCache = hotCache;
      this.#scheduleFold();
    } catch (error) {
      if (dns.fastPath === "on") throw new FastPathError(error);
      this.#whyOff = messageOf(error);
      log.info("Serving without the fast path, which this machine does not let run", {
        reason: this.#whyOff,
      });
    }
  }

  /** Opens sockets that ask others, while the fast path runs. */
  get exchanges(): Pick<FastPath, "bindExchange"> | undefined {
    return this.#fastPath;
  }

  /** Whether workers answer what they can. */
  get fastPath(): FastPathStatus {
    return this.#fastPath === undefined
      ? { state: "off", reason: this.#whyOff }
      : { state: "on", reason: "" };
  }

  /** Puts a table and a view in force in the fast path too. */
  publish({ table, view }: MeshState): void {
    this.#fastPath?.publish({ buffer: table.buffer, view });
  }

  /** What is cached may mean something else now: to be called whenever the mesh or the servers changed. */
  forgetHot(): void {
    this.#hotCache?.clear();
  }

  /** Whether the fast path may still read a table's buffer. */
  uses(buffer: SharedArrayBuffer): boolean {
    return this.#fastPath?.uses(buffer) ?? false;
  }

  /** See {@link DnsServer.replaceListeners}. */
  replaceListeners(addresses: readonly SocketAddress[]): Promise<void> {
    return this.#server.replaceListeners(addresses);
  }

  /** Where DNS is served, with the ports that the kernel chose. */
  get addresses(): SocketAddress[] {
    return this.#server.addresses;
  }

  /** Takes over what the fast path's workers counted. */
  fold(): void {
    const { metrics, world } = this.#options;
    this.#hotCache?.fold(world.clock.monotonicMs());
    for (const { queries, answers, shed, unsent } of this.#fastPath?.takeCounts() ?? []) {
      for (const [type, count] of queries) metrics.onQuery({ transport: "udp", type, count });
      for (const answer of answers) metrics.onFastAnswers(answer);
      if (shed > 0) metrics.onDropped("overload", shed);
      if (unsent > 0) metrics.onDropped("not sent", unsent);
    }
  }

  /** Ends: answers what is in flight, then closes the sockets. */
  async drain(): Promise<void> {
    await this.#server.drain();
    this.#cancelFold?.();
    // No socket is open any more, so that nothing is counted after this.
    this.fold();
    await this.#fastPath?.close();
  }

  #scheduleFold(): void {
    this.#cancelFold = this.#options.world.clock.schedule(FOLD_MS, () => {
      this.fold();
      this.#scheduleFold();
    });
  }
}
