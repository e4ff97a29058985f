/**
 * A VM with the real agent on it, as `outrigger run` puts it together, in a world of memory: clock,
 * network, disk and randomness. Only the health endpoint has a real socket, on a free port of loopback,
 * which nobody asks.
 *
 * The control plane is not in this network: it is gRPC over TLS. Its tables come in over the disk, where
 * the agent finds the last one at its start and at a reload; from the decoded table on, the way is that
 * of a push.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { Agent } from "../../agent/app.ts";
import type { Config } from "../../agent/config/config.ts";
import { loadConfig } from "../../agent/config/load_config.ts";
import { encodeNameTable } from "../../agent/mesh/protocol.ts";
import type { HostEntry } from "../../agent/names/host_entry.ts";
import type { Logger } from "../../agent/system/log.ts";
import type { SocketAddress } from "../../agent/system/socket_address.ts";
import { MemoryDisk } from "./memory_disk.ts";
import { SeededRandom } from "./seeded_random.ts";
import { SimulatedClock } from "./simulated_clock.ts";
import { type SimulatedHost, SimulatedNetwork } from "./simulated_network.ts";

/** No folder of this machine can be made there, should anything pass the disk of memory by. */
const STATE_DIR = "/dev/null/outrigger";
/** Where it keeps its last table. */
const TABLE = `${STATE_DIR}/name-table.bin`;
/** Where the agent serves DNS unless the configuration says otherwise. */
export const AGENT_DNS: SocketAddress = { address: "127.0.0.1", port: 15053 };
/** The VM's addresses. */
export const VM_ADDRESSES = ["192.0.2.10", "127.0.0.1", "2001:db8::10", "::1"];
/** How long an agent may take to end: past its own five seconds for what is in flight. */
const STOP_MS = 10_000;

/** One VM. */
export class SimulatedVm {
  /** Its time. */
  readonly clock = new SimulatedClock();
  /** What it is connected to. */
  readonly network = new SimulatedNetwork(this.clock);
  /** The agent's own view of the network; its sockets are counted here. */
  readonly host: SimulatedHost = this.network.host(VM_ADDRESSES);
  /** Its disk. */
  readonly files = new MemoryDisk(this.clock);
  /** Settings by their dotted key, above those of the configuration file. */
  readonly settings: Record<string, unknown> = {
    "controlPlane.address": "istiod.example.org:15012",
    "stateDir": STATE_DIR,
    "health.listen": "127.0.0.1:0",
  };
  /** The agent while it runs. */
  agent: Agent | undefined;
  readonly #random: SeededRandom;
  readonly #log: Logger;
  #pushes = 0;

  /** @param options `seed` of the agent's randomness */
  constructor(options: { seed: number; log: Logger }) {
    this.#random = new SeededRandom(options.seed, "agent");
    this.#log = options.log;
  }

  /** Starts the agent. @throws what the agent throws */
  async start(): Promise<void> {
    const agent = new Agent({
      config: await this.#load(),
      reload: () => this.#load(),
      log: this.#log,
      process: {
        environment: () => ({}),
        hostname: () => "vm-1",
        onSignal: () => () => {},
        residentBytes: () => 1,
      },
      world: {
        clock: this.clock,
        random: this.#random,
        files: this.files,
        network: this.host,
        connectLocal: () => Promise.reject(new Error("no service of this machine")),
        startWorker: () => {
          throw new Error("no threads in this world");
        },
      },
    });
    await agent.start();
    this.agent = agent;
  }

  /** Ends the agent, as SIGTERM does; time passes until what is in flight is answered. */
  async stop(): Promise<void> {
    const stopping = this.agent?.stop();
    if (stopping === undefined) return;
    this.agent = undefined;
    // What comes after the last socket takes real time, and none of ours.
    await this.clock.runUntil(() => this.host.openSockets === 0, STOP_MS);
    await stopping;
  }

  /** Reloads the agent, as SIGHUP does. */
  async reload(): Promise<void> {
    await this.agent?.reload();
  }

  /** Spoils the table on the disk. */
  damageTable(): void {
    this.files.write(TABLE, "not a table\n");
  }

  /** Puts a table on the disk, as the agent itself keeps the last one. */
  saveTable(entries: HostEntry[]): void {
    const bytes = encodeNameTable(entries);
    const header = JSON.stringify({
      format: "outrigger-name-table/1",
      version: String(++this.#pushes),
      receivedAt: new Date(this.clock.wallMs()).toISOString(),
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    this.files.write(
      TABLE,
      new Uint8Array([...new TextEncoder().encode(`${header}\n`), ...bytes]),
    );
  }

  /** Puts a table in force now. */
  async push(entries: HostEntry[]): Promise<void> {
    this.saveTable(entries);
    // A node that changed makes the agent open its mesh client anew, which begins with the disk.
    this.settings["node.labels"] = { push: String(this.#pushes) };
    await this.reload();
  }

  #load(): Promise<Config> {
    return loadConfig({
      environment: {},
      flags: Object.entries(this.settings).map(([key, value]) => ({
        path: key.split("."),
        value,
        source: key,
      })),
      hostname: "vm-1",
      files: this.files,
    });
  }
}
