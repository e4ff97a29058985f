/**
 * An agent on real sockets of loopback, with an upstream server of the test's own.
 *
 * @module
 */
import { Agent } from "../../agent/app.ts";
import type { Config } from "../../agent/config/config.ts";
import { loadConfig } from "../../agent/config/load_config.ts";
import { systemClock } from "../../agent/system/clock.ts";
import { silentLog } from "../../agent/system/log.ts";
import { systemNetwork, type UdpSocket } from "../../agent/system/network.ts";
import type { ProcessSignal } from "../../agent/system/process.ts";
import { formatSocketAddress, type SocketAddress } from "../../agent/system/socket_address.ts";
import { LOOP_PROBE_DOMAIN } from "../../agent/upstream/loop_probe.ts";
import { answerMessage, queryMessage, readMessage } from "./dns_messages.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";
import { until } from "./until.ts";

/** The agent, and a process whose signals a test sends. */
export class AgentFixture implements AsyncDisposable {
  /** Files of the test, and the agent's state. */
  readonly directory: TemporaryDirectory;
  /** The upstream server: any A is 203.0.113.9, and nothing else is there. */
  readonly upstream: UdpSocket;
  /** What it was asked, `name TYPE` each, without the agent's own probes. */
  readonly upstreamQueries: string[];
  /** What the process does at a signal. */
  readonly handlers = new Map<ProcessSignal, () => void>();
  /** The agent, once it was started. */
  agent!: Agent;
  /** Configuration by dotted keys, read at the start and at each reload. */
  config!: Record<string, unknown>;
  #ended: Promise<void> = Promise.resolve();
  #started = false;

  /** Use {@link make}. */
  constructor(directory: TemporaryDirectory, upstream: UdpSocket, queries: string[]) {
    this.directory = directory;
    this.upstream = upstream;
    this.upstreamQueries = queries;
  }

  /** Opens the upstream server; {@link start} starts the agent. */
  static async make(config: Record<string, unknown> = {}): Promise<AgentFixture> {
    const queries: string[] = [];
    const upstream: UdpSocket = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
      onMessage: (message, from) => {
        const { id, questions } = readMessage(message);
        const { name, type } = questions![0];
        if (!name.endsWith(LOOP_PROBE_DOMAIN)) queries.push(`${name} ${type}`);
        const answers = type === "A"
          ? [{ type: "A" as const, name, ttl: 60, data: "203.0.113.9" }]
          : [];
        upstream.send(answerMessage({ id, name, questionType: type, answers }), from);
      },
      onError() {},
    });
    const fixture = new AgentFixture(await TemporaryDirectory.make(), upstream, queries);
    fixture.config = {
      "node.namespace": "ns1",
      "dns.listen": ["127.0.0.1:0"],
      "dns.upstreams": [formatSocketAddress(upstream.local)],
      "health.listen": "127.0.0.1:0",
      "stateDir": `${fixture.directory.path}/state`,
      ...config,
    };
    return fixture;
  }

  /** The configuration as it is now. */
  load(): Promise<Config> {
    return loadConfig({
      file: "test.yaml",
      environment: {},
      flags: Object.entries(this.config).map(([key, value]) => ({
        path: key.split("."),
        value,
        source: key,
      })),
      hostname: "vm-1",
      files: { readText: () => Promise.resolve(""), stat: () => Promise.resolve(undefined) },
    });
  }

  /** Starts as `outrigger run` does. */
  async start(): Promise<void> {
    this.agent = new Agent({
      config: await this.load(),
      reload: () => this.load(),
      log: silentLog,
      process: {
        environment: () => ({}),
        hostname: () => "vm-1",
        onSignal: (signal, handler) => {
          this.handlers.set(signal, handler);
          return () => this.handlers.delete(signal);
        },
        residentBytes: () => 1,
      },
    });
    let failure: unknown;
    this.#ended = this.agent.run(new AbortController().signal).catch((error) => failure = error);
    await until(() => failure !== undefined || this.agent.healthAddress !== undefined, "the start");
    if (failure !== undefined) throw failure;
    this.#started = true;
  }

  /** Ends as SIGTERM does. */
  async stop(): Promise<void> {
    if (this.#started) this.handlers.get("SIGTERM")?.();
    await this.#ended;
    this.#started = false;
  }

  /** Changes keys and reloads. */
  async reload(config: Record<string, unknown>): Promise<void> {
    this.config = { ...this.config, ...config };
    await this.agent.reload();
  }

  /** The data of the answer, or its rcode. */
  async ask(
    name: string,
    type = "A",
    server: SocketAddress = this.agent.dnsAddresses[0],
  ): Promise<string> {
    const { answers, rcode } = readMessage(
      await this.exchange(queryMessage(name, type), { server }),
    );
    return answers!.length === 0
      ? rcode
      : answers!.map((r) => "data" in r && String(r.data)).join(" ");
  }

  /** The octets that come back for a message. */
  async exchange(
    message: Uint8Array,
    { transport = "udp", server = this.agent.dnsAddresses[0] }: {
      transport?: "udp" | "tcp";
      server?: SocketAddress;
    } = {},
  ): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    const cancel = systemClock.schedule(3_000, () => reject(new Error("no answer")));
    try {
      if (transport === "tcp") {
        const { signal } = new AbortController();
        const onClose = (error = new Error("closed without an answer")) => reject(error);
        const stream = await systemNetwork.connectTcp(
          server,
          { onMessage: resolve, onClose },
          signal,
        );
        stream.send(message);
        return await promise.finally(() => stream.destroy());
      }
      const socket = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
        onMessage: resolve,
        onError: reject,
      });
      socket.send(message, server);
      return await promise.finally(() => socket.close());
    } finally {
      cancel();
    }
  }

  /** Asks the health endpoint. */
  async get(path: string): Promise<Response> {
    return await fetch(`http://${formatSocketAddress(this.agent.healthAddress!)}${path}`);
  }

  /** Codes of the problems that status tells. */
  get problems(): string[] {
    return this.agent.status().problems.map(({ code }) => code);
  }

  /** Ends it all. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    this.upstream.close();
    await this.directory[Symbol.asyncDispose]();
  }
}
