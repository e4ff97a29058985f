/**
 * The agent: the one place where its parts are put together, started, reloaded and drained. Parts know
 * nothing of each other beyond what they are given here.
 *
 * @module
 */
import { lookupReport, namesReport, statusReport } from "./agent_report.ts";
import { AnswerCache, CACHE_MAX_BYTES } from "./cache/answer_cache.ts";
import type { Config } from "./config/config.ts";
import { RecordClass, RecordType } from "./dns/codes.ts";
import { formatAddress, parseAddress, parseRange } from "./dns/ip_address.ts";
import { parseName } from "./dns/name.ts";
import type { LookupReport, StatusProblem, StatusReport } from "./health/api.ts";
import { HealthServer } from "./health/health_server.ts";
import { Readiness } from "./health/readiness.ts";
import { findEnvoyInterception } from "./host_dns/envoy_interception.ts";
import { readHostDns } from "./host_dns/host_dns.ts";
import { MeshClient, type NameTablePush, type PushVerdict } from "./mesh/mesh_client.ts";
import { loadStaticNames } from "./mesh/static_names.ts";
import { AgentMetrics, type MetricReadings } from "./metrics/agent_metrics.ts";
import { meshSearchDomains, type MeshView } from "./names/mesh_lookup.ts";
import { NameSources, type NameSourcesOptions } from "./resolver/name_sources.ts";
import { type Resolution, Resolver } from "./resolver/resolver.ts";
import { DnsServer } from "./server/dns_server.ts";
import { QueryHandler } from "./server/query_handler.ts";
import { messageOf } from "./system/agent_error.ts";
import { type Clock, sleep, systemClock } from "./system/clock.ts";
import { type Files, systemFiles } from "./system/files.ts";
import { type Logger, openLog } from "./system/log.ts";
import { type Network, systemNetwork } from "./system/network.ts";
import type { Process } from "./system/process.ts";
import { type Random, SystemRandom } from "./system/random.ts";
import {
  formatSocketAddress,
  parseSocketAddress,
  type SocketAddress,
} from "./system/socket_address.ts";
import { findOwnAddresses, UpstreamLoopError } from "./upstream/forward_loop.ts";
import { UpstreamGroup } from "./upstream/upstream_group.ts";
import { VERSION } from "./version.ts";

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
  /** The machine's own unless given. */
  clock?: Clock;
  /** The machine's own unless given. */
  random?: Random;
  /** The machine's own unless given. */
  files?: Files;
  /** The machine's own unless given. */
  network?: Network;
}

/** How often the agent looks whether an Envoy came or went, in milliseconds. */
const INTERCEPTION_POLL_MS = 10_000;

/** One agent on one VM. */
export class Agent {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #files: Files;
  readonly #network: Network;
  readonly #process: Process;
  readonly #reload: () => Promise<Config>;
  readonly #log: Logger;
  readonly #startedMs: number;
  readonly #readiness = new Readiness();
  readonly #metrics: AgentMetrics;
  readonly #cache = new AnswerCache();
  readonly #upstream: UpstreamGroup;
  readonly #names: NameSources;
  readonly #resolver: Resolver;
  readonly #server: DnsServer;
  #config: Config;
  #health: HealthServer | undefined;
  #mesh:
    | { client: MeshClient; key: string; stop: AbortController; ended: Promise<void> }
    | undefined;
  #interception = false;
  /** Search domains of the VM's own resolver set-up. */
  #hostSearchDomains: string[] = [];
  #healthListen: string | undefined;
  readonly #named = this.#readiness.task("names", "the first name table");
  readonly #listening = this.#readiness.task("dns", "the DNS listeners");
  readonly #stopped = new AbortController();
  /** What is wrong with a part of the configuration, by part; see {@link StatusProblem}. */
  readonly #problems = new Map<string, StatusProblem>();

  /** Wires the parts; {@link start} lets them act. */
  constructor(options: AgentOptions) {
    this.#config = options.config;
    this.#reload = options.reload;
    this.#log = options.log;
    this.#process = options.process;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? new SystemRandom();
    this.#files = options.files ?? systemFiles;
    this.#network = options.network ?? systemNetwork;
    this.#startedMs = this.#clock.monotonicMs();
    this.#metrics = new AgentMetrics({ version: VERSION, read: () => this.#readings() });
    this.#upstream = new UpstreamGroup({
      servers: [],
      network: this.#network,
      clock: this.#clock,
      random: this.#random,
      log: this.#log.child("upstream"),
      observer: this.#metrics.upstream,
    });
    this.#names = new NameSources(namesOptions(options.config));
    this.#resolver = new Resolver({
      mesh: { table: this.#names.table, complete: false, view: this.#view() },
      cache: this.#cache,
      upstream: this.#upstream,
      clock: this.#clock,
      random: this.#random,
    });
    const handler = new QueryHandler({
      resolver: this.#resolver,
      clock: this.#clock,
      observer: this.#metrics,
      log: this.#log.child("dns"),
    });
    this.#server = new DnsServer({
      network: this.#network,
      clock: this.#clock,
      handler,
      log: this.#log.child("dns"),
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
    await this.#applyUpstreams(config);
    this.#interception = await findEnvoyInterception(this.#files);
    await this.#applyStaticNames(config);
    await this.#applyMesh(config);
    this.#publish();
    await this.#server.replaceListeners(socketAddresses(config.dns.listen));
    this.#listening.done();
    this.#applyHealth(config);
    void this.#watchInterception();
    this.#log.info("Serving DNS", {
      listen: this.dnsAddresses.map(formatSocketAddress),
      upstreams: this.#upstream.status().map(({ server }) => server),
      names: this.#names.table.size,
    });
  }

  /** Stops: answers what is in flight, then closes everything. */
  async stop(): Promise<void> {
    if (this.#stopped.signal.aborted) return;
    this.#stopped.abort(new Error("The agent stops"));
    await this.#server.drain();
    this.#mesh?.stop.abort();
    await this.#mesh?.ended;
    await this.#health?.close();
    this.#log.info("Stopped");
  }

  /** Reads the configuration again. A bad one is refused with its reason, and the old one stays. */
  async reload(): Promise<void> {
    const before = this.#config;
    try {
      const config = await this.#reload();
      await this.#applyUpstreams(config);
      await this.#server.replaceListeners(socketAddresses(config.dns.listen));
      this.#config = config;
      this.#applyHealth(config);
      this.#names.configure(namesOptions(config));
      await this.#applyStaticNames(config);
      await this.#applyMesh(config);
      this.#publish();
      if (config.log.level !== before.log.level || config.log.format !== before.log.format) {
        openLog(config.log);
      }
      this.#problems.delete("config");
      this.#log.info("Configuration reloaded");
    } catch (error) {
      this.#config = before;
      this.#problem("config", {
        code: "CONFIG_REFUSED",
        message: `The new configuration was refused, the old one stays: ${messageOf(error)}`,
        remedy: "Correct it and reload again (systemctl reload outrigger, or kill -HUP).",
      });
    }
  }

  /** Where DNS is served, with the ports that the kernel chose. */
  get dnsAddresses(): SocketAddress[] {
    return this.#server.addresses;
  }

  /** Where health is served; undefined before the start. */
  get healthAddress(): SocketAddress | undefined {
    return this.#health?.local;
  }

  /** What `/api/v1/status` tells. */
  status(): StatusReport {
    const { node } = this.#config;
    return statusReport({
      version: VERSION,
      uptimeSeconds: (this.#clock.monotonicMs() - this.#startedMs) / 1000,
      listeners: this.dnsAddresses.map(formatSocketAddress)
        .flatMap((address) => [`udp://${address}`, `tcp://${address}`]),
      waitingFor: this.#readiness.waitingFor(),
      problems: [...this.#problems.values()],
      node: {
        name: node.name,
        namespace: node.namespace,
        serviceAccount: node.serviceAccount,
        cluster: node.cluster,
        network: node.network,
        addresses: this.#nodeAddresses(this.#config),
      },
      mesh: this.#mesh?.client,
      names: this.#names,
      state: this.#resolver.mesh,
      upstream: this.#upstream,
      cache: this.#cache,
      cacheMaxBytes: CACHE_MAX_BYTES,
    });
  }

  /** Resolves a question as a client's would be, for `/api/v1/lookup`. */
  async lookup(name: string, type: number): Promise<LookupReport> {
    const question = { name, type, class: RecordClass.IN };
    const request = { question, dnssecOk: false, checkingDisabled: false };
    const startedMs = this.#clock.monotonicMs();
    const resolution: Resolution = this.#resolver.answerHere(request) ??
      await this.#resolver.forward(request);
    return lookupReport(question, resolution, this.#clock.monotonicMs() - startedMs);
  }

  /** Upstream servers of the configuration, or of the VM itself; never this agent. */
  async #applyUpstreams(config: Config): Promise<void> {
    const listeners = socketAddresses(config.dns.listen);
    const interfaces = this.#network.interfaceAddresses();
    if (config.dns.upstreams !== undefined) {
      const servers = config.dns.upstreams.map((text) => parseSocketAddress(text, 53)!);
      const own = findOwnAddresses(servers, { listeners, interfaces });
      if (own.length > 0) throw new UpstreamLoopError(own);
      this.#upstream.replaceServers(servers);
      this.#hostSearchDomains = [];
      this.#problems.delete("upstreams");
      return;
    }
    const host = await readHostDns({ files: this.#files, exclude: listeners });
    const own = findOwnAddresses(host.servers, { listeners, interfaces });
    const servers = host.servers.filter((server) => !own.some((other) => other.server === server));
    this.#hostSearchDomains = host.searchDomains;
    if (servers.length > 0) {
      this.#upstream.replaceServers(servers);
      this.#problems.delete("upstreams");
      return;
    }
    this.#problem("upstreams", {
      code: "NO_UPSTREAM",
      message: `No nameserver was found in "${host.source}": only mesh names can be answered.`,
      remedy: "Set dns.upstreams or --upstream to the VM's own nameservers.",
    });
  }

  async #applyStaticNames(config: Config): Promise<void> {
    if (config.names.files.length === 0) {
      this.#names.replaceFiles(undefined);
      this.#problems.delete("names");
      return;
    }
    const { entries, problems } = await loadStaticNames(config.names.files, {
      files: this.#files,
      clusterDomain: config.dns.clusterDomain,
      viewer: config.node,
    });
    this.#names.replaceFiles(entries);
    if (problems.length === 0) this.#problems.delete("names");
    else {
      this.#problem("names", {
        code: "NAMES_FILE_INVALID",
        message: problems.join("; "),
        remedy: "Correct the file and reload (systemctl reload outrigger, or kill -HUP).",
      });
    }
  }

  /** Starts the control-plane client; stops and replaces it where its configuration changed. */
  async #applyMesh(config: Config): Promise<void> {
    const key = JSON.stringify([config.node, config.controlPlane, config.dns.clusterDomain]);
    if (this.#mesh?.key === key) return;
    this.#mesh?.stop.abort();
    await this.#mesh?.ended;
    this.#mesh = undefined;
    const { controlPlane } = config;
    if (controlPlane === undefined) return;
    const client = new MeshClient({
      clock: this.#clock,
      random: this.#random,
      files: this.#files,
      log: this.#log.child("mesh"),
      node: {
        ...config.node,
        clusterDomain: config.dns.clusterDomain,
        addresses: this.#nodeAddresses(config),
      },
      controlPlane: {
        addresses: controlPlane.addresses,
        serverName: controlPlane.serverName,
        rootCertPath: controlPlane.rootCert,
        tokenPath: controlPlane.token,
        hostsPath: controlPlane.hosts,
      },
      stateDir: config.stateDir,
      resolveHost: (name) => this.#resolveUpstream(name),
      onTable: (push) => this.#onTable(push),
    });
    await client.restore();
    const stop = new AbortController();
    this.#mesh = { client, key, stop, ended: client.run(stop.signal) };
  }

  #applyHealth(config: Config): void {
    const listen = parseSocketAddress(config.health.listen)!;
    if (this.#healthListen === config.health.listen) return;
    const health = new HealthServer(listen, {
      readiness: this.#readiness,
      metrics: this.#metrics,
      status: () => this.status(),
      names: (options) => namesReport(this.#resolver.mesh, options),
      lookup: (name, type) => this.lookup(name, type),
    });
    void this.#health?.close();
    this.#health = health;
    this.#healthListen = config.health.listen;
  }

  #onTable(push: NameTablePush): PushVerdict {
    const accepted = this.#names.replacePushed(push);
    this.#metrics.onPush(accepted);
    if (!accepted) return { accepted: false, reason: "no entry of the table can be served" };
    this.#publish();
    this.#log.info("Name table in force", {
      origin: push.origin,
      version: push.version,
      hosts: this.#names.table.size,
      leftOut: this.#names.rejected.length,
    });
    return { accepted: true };
  }

  /** Puts names and view in force. */
  #publish(): void {
    this.#resolver.replaceMesh({
      table: this.#names.table,
      complete: this.#names.complete,
      view: this.#view(),
    });
    if (this.#names.complete) this.#named.done();
  }

  #view(): MeshView {
    const { node, dns } = this.#config;
    const own = meshSearchDomains({ namespace: node.namespace, clusterDomain: dns.clusterDomain });
    const searchDomains = (dns.searchDomains ?? [...own, ...this.#hostSearchDomains])
      .map(parseName).filter((domain) => domain !== undefined && domain !== "") as string[];
    return {
      clusterDomain: dns.clusterDomain,
      namespace: node.namespace,
      searchDomains: [...new Set(searchDomains)],
      vipRanges: dns.vipRanges.map((range) => parseRange(range)!),
      serveAutoAllocated: dns.autoAllocated === "serve" ||
        dns.autoAllocated === "auto" && this.#interception,
    };
  }

  /** What the gauges of /metrics show. */
  #readings(): MetricReadings {
    const mesh = this.#mesh?.client.status().controlPlane;
    return {
      cacheEntries: this.#cache.entries,
      cacheBytes: this.#cache.bytes,
      hosts: this.#names.table.size,
      receivedMs: this.#names.pushed?.receivedAtMs ?? 0,
      connected: mesh?.state === "connected",
      certificateExpiryMs: Date.parse(mesh?.certificate.expiresAt ?? "") || 0,
      residentBytes: this.#process.residentBytes(),
    };
  }

  async #watchInterception(): Promise<void> {
    const { signal } = this.#stopped;
    for (;;) {
      try {
        await sleep(this.#clock, INTERCEPTION_POLL_MS, signal);
      } catch {
        return;
      }
      const found = await findEnvoyInterception(this.#files);
      if (found === this.#interception) continue;
      this.#interception = found;
      this.#publish();
      this.#log.info(`An Envoy's interception ${found ? "was found" : "is gone"}`, {
        autoAllocated: this.#config.dns.autoAllocated,
      });
    }
  }

  /** The control plane's own name is asked upstream: the mesh's address for it is not reachable here. */
  async #resolveUpstream(name: string): Promise<string[]> {
    const canonical = parseName(name);
    if (canonical === undefined) return [];
    const outcomes = await Promise.all(
      [RecordType.A, RecordType.AAAA].map((type) =>
        this.#upstream.exchange({
          question: { name: canonical, type, class: RecordClass.IN },
          dnssecOk: false,
          checkingDisabled: false,
        })
      ),
    );
    return outcomes.flatMap((outcome) =>
      outcome.kind === "failure" ? [] : outcome.answer.answers
        .filter(({ type }) => type === RecordType.A || type === RecordType.AAAA)
        .map(({ rdata }) => formatAddress(rdata))
    );
  }

  /** The addresses that the control plane is told: configured, or all of the VM that others can reach. */
  #nodeAddresses(config: Config): string[] {
    if (config.node.addresses !== undefined) return config.node.addresses;
    return this.#network.interfaceAddresses()
      .filter(({ address, internal }) => !internal && !isLinkLocal(address))
      .map(({ address }) => address);
  }

  #problem(part: string, problem: StatusProblem): void {
    this.#problems.set(part, problem);
    this.#log.warn(problem.message, { remedy: problem.remedy });
  }
}

function namesOptions(config: Config): NameSourcesOptions {
  return {
    clusterDomain: config.dns.clusterDomain,
    exclude: config.names.exclude,
    expectsPush: config.controlPlane !== undefined,
  };
}

function socketAddresses(texts: readonly string[]): SocketAddress[] {
  return texts.map((text) => parseSocketAddress(text)!);
}

function isLinkLocal(address: string): boolean {
  const octets = parseAddress(address);
  if (octets === undefined) return true;
  return octets.length === 4
    ? octets[0] === 169 && octets[1] === 254
    : octets[0] === 0xfe && (octets[1] & 0xc0) === 0x80;
}
