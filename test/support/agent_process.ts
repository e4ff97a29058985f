/**
 * outrigger as a process of its own, as a user runs it: the compiled binary that `BINARY_UNDER_TEST`
 * names, else from source.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { askServer, type StubAnswer } from "../../agent/commands/dns_stub.ts";
import type { NamesReport, StatusReport } from "../../agent/health/api.ts";
import { systemWorld } from "../../agent/system/world.ts";
import { Child, freePorts } from "../support/child_process.ts";

const world = systemWorld();

/** What an agent is started with. */
export interface AgentProcessOptions {
  /** Where its state and log are; kept between starts. */
  folder: string;
  /** Arguments of `run`. */
  args: readonly string[];
  /** Keeps the ports of another one. */
  ports?: AgentPorts;
}

/** Where an agent listens, on loopback. */
export interface AgentPorts {
  /** DNS. */
  dns: number;
  /** Health. */
  health: number;
}

/** One agent. */
export class AgentProcess implements AsyncDisposable {
  /** Where it listens. */
  readonly ports: AgentPorts;
  readonly #child: Child;

  private constructor(child: Child, ports: AgentPorts) {
    this.#child = child;
    this.ports = ports;
  }

  /** Starts one and waits until its health endpoint answers. */
  static async start({ folder, args, ports }: AgentProcessOptions): Promise<AgentProcess> {
    await Deno.mkdir(folder, { recursive: true });
    const [dns, health] = ports === undefined ? await freePorts(2) : [ports.dns, ports.health];
    const binary = Deno.env.get("BINARY_UNDER_TEST");
    const root = resolve(import.meta.dirname!, "../..");
    const [program, ...before] = binary !== undefined && binary !== ""
      ? [resolve(binary)]
      : [Deno.execPath(), "run", "--allow-all", "--quiet", join(root, "agent/main.ts")];
    const child = new Child(program, {
      cwd: root,
      logPath: join(folder, "agent.log"),
      args: [
        ...before,
        "run",
        ...args,
        ...["--dns-listen", `127.0.0.1:${dns}`, "--health-listen", `127.0.0.1:${health}`],
        ...["--state-dir", join(folder, "state"), "--log-level", "debug"],
      ],
    });
    const agent = new AgentProcess(child, { dns, health });
    try {
      await child.until(() => agent.status(), "the agent answers");
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    }
    return agent;
  }

  /** Asks it over UDP. @throws when no answer comes in five seconds */
  ask(name: string, type = "A"): Promise<StubAnswer> {
    return askServer({ address: "127.0.0.1", port: this.ports.dns }, { name, type }, world);
  }

  /** What its status says. */
  status(): Promise<StatusReport> {
    return this.#get("status");
  }

  /** The codes of what is wrong. */
  async problems(): Promise<string[]> {
    return (await this.status()).problems.map(({ code }) => code);
  }

  /** Its whole table. */
  names(): Promise<NamesReport> {
    return this.#get("names?limit=1000000");
  }

  /** Waits until its status is as `check` wants it. */
  untilStatus(
    check: (status: StatusReport) => boolean,
    what: string,
    timeoutMs?: number,
  ): Promise<StatusReport> {
    return this.#child.until(
      async () => {
        const status = await this.status();
        return check(status) ? status : undefined;
      },
      what,
      timeoutMs,
    );
  }

  /** Waits until it is connected and has a table of this connection. */
  untilConnected(timeoutMs?: number): Promise<StatusReport> {
    return this.untilStatus(
      ({ controlPlane, names }) =>
        controlPlane?.state === "connected" && names.origin === "control-plane",
      "the agent is connected",
      timeoutMs,
    );
  }

  /** Waits until a name is answered with these addresses; returns how long that took. */
  async untilAnswered(name: string, addresses: string[], type = "A"): Promise<number> {
    const startedMs = performance.now();
    await this.#child.until(
      async () => {
        const { data } = await this.ask(name, type);
        return data.toSorted().join() === addresses.toSorted().join() ? true : undefined;
      },
      `${name} is answered with ${addresses.join(", ") || "nothing"}`,
      10_000,
    );
    return performance.now() - startedMs;
  }

  /** Ends it as an orderly stop does. */
  stop(): Promise<void> {
    return this.#child.end("SIGTERM");
  }

  /** Ends it as a crash does. */
  kill(): Promise<void> {
    return this.#child.end("SIGKILL");
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#child.signal(signal);
  }

  /** Resident memory now, in octets. */
  residentBytes(): Promise<number> {
    return this.#child.residentBytes();
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(`http://127.0.0.1:${this.ports.health}/api/v1/${path}`);
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return await response.json();
  }
}
