/**
 * The agent: the one place where its parts are put together, started, reloaded and drained. Parts know
 * nothing of each other beyond what they are given here.
 *
 * @module
 */
import {
  lookupReport,
  metricReadings,
  namesReport,
  statusReport,
  statusSummary,
} from "./agent_report.ts";
import {
  cacheLimits,
  controlSocketPath,
  listenAddresses,
  mayBePrivate,
  meshNode,
  meshView,
  namesOptions,
  nodeAddresses,
} from "./agent_settings.ts";
import { AnswerCache } from "./cache/answer_cache.ts";
import { applyStaticNames } from "./apply_static_names.ts";
import { askForCapture } from "./ask_for_capture.ts";
import type { Config } from "./config/config.ts";
import { DnsService } from "./dns_service.ts";
import type { LookupReport, StatusReport } from "./health/api.ts";
import { ControlSocket } from "./health/control_socket.ts";
import { HealthEndpoint } from "./health/health_endpoint.ts";
import { Readiness } from "./health/readiness.ts";
import { StatusProblems } from "./health/status_problems.ts";
import { HostWatch } from "./host_watch.ts";
import type { NameTablePush, PushVerdict } from "./mesh/saved_table.ts";
import { MeshConnection } from "./mesh_connection.ts";
import { AgentMetrics } from "./metrics/agent_metrics.ts";
import { SystemTableBuilder } from "./names/table_builder.ts";
import { NameSources } from "./resolver/name_sources.ts";
import { Resolver } from "./resolver/resolver.ts";
import { exchangeNetwork } from "./server/exchange_network.ts";
import { messageOf } from "./system/agent_error.ts";
import { type Logger, openLog } from "./system/log.ts";
import type { Process } from "./system/process.ts";
import type { InheritedSocket } from "./system/inherited_sockets.ts";
import type { ServiceManager } from "./system/service_manager.ts";
import { formatSocketAddress, type SocketAddress } from "./system/socket_address.ts";
import { systemWorld, type World } from "./system/world.ts";
import { hostAddresses } from "./upstream/host_addresses.ts";
import { LoopProbe } from "./upstream/loop_probe.ts";
import { UpstreamServers } from "./upstream/upstream_servers.ts";
import { UpstreamChoice } from "./upstream_choice.ts";
import { VERSION } from "./version.ts";
import { Watchdog } from "./watchdog.ts";

/** What an {@link Agent} is made of. */
export interface AgentOptions {
  /** What it does. */
  config: Config;
  /** Reads the configuration again, at SIGHUP. */
  reload: () => Promise<Config>;
  /** Where it reports. */
  log: Logger;
  /** Its process. */
  process: Process;
  /** Who started it and is told how it is; nobody unless given. */
  service?: ServiceManager;
  /** Sockets that it holds; none unless given. */
  inherited?: readonly InheritedSocket[];
  /** The machine's own, as far as not given. */
  world?: Partial<World>;
}

/** One agent on one VM. */
export class Agent {
  readonly #world: World;
  readonly #host: HostWatch;
  readonly #process: Process;
  readonly #inherited: readonly InheritedSocket[];
  readonly #reload: () => Promise<Config>;
  readonly #log: Logger;
  readonly #startedMs: number;
  readonly #readiness = new Readiness();
  readonly #metrics: AgentMetrics;
  readonly #cache: AnswerCache;
  readonly #upstream: UpstreamServers;
  readonly #upstreamChoice: UpstreamChoice;
  readonly #tableBuilder: SystemTableBuilder;
  readonly #names: NameSources;
  readonly #resolver: Resolver;
  readonly #dns: DnsService;
  readonly #mesh: MeshConnection;
  readonly #health: HealthEndpoint;
  readonly #control: ControlSocket;
  readonly #watchdog: Watchdog;
  #config: Config;
  readonly #named = this.#readiness.task("names", "the first name table");
  readonly #listening = this.#readiness.task("dns", "the DNS listeners");
  readonly #stopped = new AbortController();
  readonly #problems: StatusProblems;

  /** Wires the parts; {@link start} lets them act. */
  constructor(options: AgentOptions) {
    this.#config = options.config;
    this.#reload = options.reload;
    this.#log = options.log;
    this.#problems = new StatusProblems(options.log);
    this.#process = options.process;
    this.#inherited = options.inherited ?? [];
    this.#world = { ...systemWorld(), ...options.world };
    this.#host = new HostWatch(this.#world);
    this.#startedMs = this.#world.clock.monotonicMs();
    this.#cache = new AnswerCache(cacheLimits(options.config));
    this.#metrics = new AgentMetrics({
      version: VERSION,
      beforeScrape: () => this.#dns.fold(),
      read: () =>
        metricReadings({
          cache: this.#cache,
          names: this.#names,
          mesh: this.#mesh.client,
          residentBytes: this.#process.residentBytes(),
        }),
    });
    const network = exchangeNetwork(this.#world.network, () => this.#dns?.exchanges);
    this.#upstream = new UpstreamServers({
      ...this.#world,
      network,
      log: this.#log.child("upstream"),
      caseRandomization: () => this.#config.dns.caseRandomization,
      mayBePrivate: (name) => mayBePrivate(this.#config, name),
      isAnsweredHere: (question) => this.#resolver.isAnsweredHere(question),
      observer: this.#metrics.upstream,
    });
    const loopProbe = new LoopProbe({ ...this.#world, network });
    this.#upstreamChoice = new UpstreamChoice({
      world: this.#world,
      log: this.#log.child("upstream"),
      listenAddresses: (config) => listenAddresses(config, this.#inherited),
      loopProbe,
      replaceServers: (set) => {
        this.#upstream.replaceServers(set);
        this.#resolver.upstreamChanged();
      },
      onSearchDomains: (searchDomains) => {
        this.#host.replaceSearchDomains(searchDomains);
        this.#publish();
      },
      onHostChanged: () => void askForCapture(this.#world.files),
      onProblem: (part, problem) => this.#problems.set(part, problem),
    });
    this.#tableBuilder = new SystemTableBuilder({
      ...this.#world,
      log: this.#log.child("names"),
    });
    this.#names = new NameSources(namesOptions(options.config), {
      ...this.#world,
      builder: this.#tableBuilder,
      // Until a new table is published, and the fast path has let go of the one before.
      isInUse: (buffer) => this.#resolver.mesh.table.buffer === buffer || this.#dns.uses(buffer),
    });
    this.#resolver = new Resolver({
      ...this.#world,
      mesh: {
        table: this.#names.table,
        complete: false,
        view: meshView(options.config, this.#host.facts),
      },
      cache: this.#cache,
      upstream: this.#upstream,
      onChanged: () => this.#dns?.forgetHot(),
    });
    this.#mesh = new MeshConnection({
      ...this.#world,
      node: (config) =>
        meshNode(config, this.#host.facts, this.#world.network.interfaceAddresses()),
      log: this.#log.child("mesh"),
      // Never by the mesh: its address for the control plane is not reachable from a VM.
      resolveHost: (name) => hostAddresses(this.#upstream, name),
      onTable: (push) => this.#onTable(push),
    });
    this.#dns = new DnsService({
      world: this.#world,
      config: () => this.#config,
      resolver: this.#resolver,
      inherited: this.#inherited,
      cache: this.#cache,
      loopProbe,
      metrics: this.#metrics,
      log: this.#log.child("dns"),
    });
    this.#health = new HealthEndpoint({
      readiness: this.#readiness,
      metrics: this.#metrics,
      status: () => this.status(),
      names: (options) => namesReport(this.#resolver.mesh, options),
      lookup: (name, type) => this.lookup(name, type),
    });
    this.#control = new ControlSocket({
      flushCache: (domain) => this.#resolver.flushCache(domain),
    });
    this.#watchdog = new Watchdog({
      ...this.#world,
      service: options.service,
      addresses: () => this.dnsAddresses,
      status: () => statusSummary(this.status()),
    });
  }

  /** Runs until `signal` is aborted or the process is told to end, and drains. */
  async run(signal: AbortSignal): Promise<void> {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>();
    const stops = [
      this.#process.onSignal("SIGTERM", end),
      this.#process.onSignal("SIGINT", end),
      this.#process.onSignal("SIGHUP", () => void this.reload()),
    ];
    signal.addEventListener("abort", () => end(), { once: true });
    try {
      await this.start();
      if (signal.aborted) end();
      await ended;
    } finally {
      for (const stop of stops) stop();
      await this.stop();
    }
  }

  /**
   * Starts: the saved and static names first, so that the first query is answered from them; then the
   * listeners; then the control plane.
   *
   * @throws {AgentError} when an address cannot be listened on or an upstream server is this agent
   */
  async start(): Promise<void> {
    const config = this.#config;
    this.#watchdog.starting();
    await this.#host.look();
    const upstreams = await this.#upstreamChoice.prepare(config);
    this.#upstreamChoice.apply(upstreams);
    await this.#applyStaticNames(config);
    await this.#mesh.restore(config);
    this.#publish();
    await this.#dns.start(config, this.#resolver.mesh);
    await this.#listen(config);
    this.#listening.done();
    await this.#listenForControl(config);
    this.#upstreamChoice.follow(upstreams);
    void this.#host.run(this.#stopped.signal, (changed) => this.#onHostLook(changed));
    this.#log.info("Serving DNS", {
      listen: this.dnsAddresses.map(formatSocketAddress),
      upstreams: this.#upstream.status().map(({ server }) => server),
      names: this.#names.table.size,
    });
    void this.#watchdog.run(this.#stopped.signal);
    await this.#mesh.connect(config);
  }

  /** Stops: answers what is in flight, then closes everything. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(new Error("The agent stops"));
    this.#watchdog.stopping();
    this.#upstreamChoice.close();
    await this.#dns.drain();
    this.#upstream.close();
    await this.#mesh.stop();
    this.#tableBuilder.close();
    await this.#health.close();
    await this.#control.close();
    this.#log.info("Stopped");
  }

  /** Reads the configuration again. A bad one is refused with its reason, and the old one stays. */
  async reload(): Promise<void> {
    const before = this.#config;
    this.#watchdog.reloading();
    try {
      // What can fail comes first, and changes nothing where it does.
      const config = await this.#reload();
      const upstreams = await this.#upstreamChoice.prepare(config);
      await this.#listen(config);
      this.#config = config;
      await this.#listenForControl(config);
      this.#cache.configure(cacheLimits(config));
      this.#upstreamChoice.apply(upstreams);
      this.#upstreamChoice.follow(upstreams);
      await this.#mesh.stop(config);
      await this.#names.configure(namesOptions(config));
      await this.#applyStaticNames(config);
      await this.#mesh.restore(config);
      this.#publish();
      await this.#mesh.connect(config);
      if (config.log.level !== before.log.level || config.log.format !== before.log.format) {
        openLog(config.log);
      }
      this.#problems.set("config", undefined);
      this.#log.info("Configuration reloaded");
    } catch (error) {
      this.#problems.set("config", {
        code: "CONFIG_REFUSED",
        message: `The new configuration was refused, the old one stays: ${messageOf(error)}`,
        remedy: "Correct it and reload again (systemctl reload outrigger, or kill -HUP).",
      });
    }
    this.#watchdog.reloaded();
  }

  /** Opens all listeners of a configuration and closes those of before, or changes nothing. */
  #listen(config: Config): Promise<void> {
    return this.#health.replace(
      config.health.listen,
      () => this.#dns.replaceListeners(listenAddresses(config, this.#inherited)),
    );
  }

  /** Where DNS is served, with the ports that the kernel chose. */
  get dnsAddresses(): SocketAddress[] {
    return this.#dns.addresses;
  }

  /** Where health is served; undefined before the start. */
  get healthAddress(): SocketAddress | undefined {
    return this.#health.local;
  }

  /** What `/api/v1/status` tells. */
  status(): StatusReport {
    return statusReport({
      version: VERSION,
      uptimeSeconds: (this.#world.clock.monotonicMs() - this.#startedMs) / 1000,
      listening: this.dnsAddresses,
      fastPath: this.#dns.fastPath,
      waitingFor: this.#readiness.waitingFor(),
      problems: this.#problems.list(),
      node: {
        ...this.#config.node,
        addresses: nodeAddresses(this.#config, this.#world.network.interfaceAddresses()),
      },
      mesh: this.#mesh.client,
      names: this.#names,
      state: this.#resolver.mesh,
      upstream: this.#upstream,
      cache: this.#cache,
      controlSocket: this.#control.path,
    });
  }

  /** Resolves a question as a client's would be, for `/api/v1/lookup`. */
  lookup(name: string, type: number): Promise<LookupReport> {
    return lookupReport(name, type, { ...this.#world, resolver: this.#resolver });
  }

  async #applyStaticNames(config: Config): Promise<void> {
    const ports = { names: this.#names, files: this.#world.files, log: this.#log };
    this.#problems.set("names", await applyStaticNames(config, ports));
  }

  /** Without its control socket the agent serves on. */
  #listenForControl(config: Config): Promise<void> {
    return this.#control.listen(controlSocketPath(config))
      .catch((error) => this.#log.warn(messageOf(error)));
  }

  async #onTable(push: NameTablePush): Promise<PushVerdict> {
    const verdict = await this.#names.replacePushed(push);
    this.#metrics.onPush(verdict.accepted);
    if (!verdict.accepted) return verdict;
    this.#publish();
    this.#log.info("Name table in force", {
      origin: push.origin,
      version: push.version,
      hosts: this.#names.table.size,
      leftOut: this.#names.rejectedTotal,
    });
    return verdict;
  }

  /** Puts names and view in force. */
  #publish(): void {
    this.#resolver.replaceMesh({
      table: this.#names.table,
      complete: this.#names.complete,
      view: meshView(this.#config, this.#host.facts),
    });
    this.#dns.publish(this.#resolver.mesh);
    if (this.#names.complete) this.#named.done();
  }

  #onHostLook(interceptionChanged: boolean): void {
    if (interceptionChanged) {
      this.#publish();
      const { interception } = this.#host.facts;
      this.#log.info(`An Envoy's interception ${interception ? "was found" : "is gone"}`, {
        autoAllocated: this.#config.dns.autoAllocated,
      });
    }
    this.#mesh.client?.announce();
  }
}
