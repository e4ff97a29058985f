/**
 * Connects to a TCP port again and again, and holds one connection open all the while: a program of its own,
 * so that it can run beyond a VM's links. The server speaks first, as SSH's does.
 *
 * usage: port_watch.ts ADDRESS PORT     until SIGTERM; then prints a {@link PortReport} as JSON
 *
 * @module
 */
import { join } from "node:path";
import { Child } from "../support/child_process.ts";
import type { VmNetwork } from "./vm_network.ts";

/** What came of it. */
export interface PortReport {
  /** Connections that were answered. */
  answered: number;
  /** Why others were not. */
  failures: string[];
  /** Whether the first connection is open still. */
  isHeld: boolean;
}

/** How often a connection is made, in milliseconds. */
const EVERY_MS = 50;

/** One that runs beyond the links of a VM. */
export class PortWatch implements AsyncDisposable {
  readonly #child: Child;
  readonly #logPath: string;

  private constructor(child: Child, logPath: string) {
    this.#child = child;
    this.#logPath = logPath;
  }

  /** Starts it. */
  static start(
    { network, folder, address, port }: {
      network: VmNetwork;
      folder: string;
      address: string;
      port: number;
    },
  ): PortWatch {
    const logPath = join(folder, "port_watch.log");
    const [program, ...before] = network.beyond;
    const script = new URL(import.meta.url).pathname;
    const run = ["run", "--allow-all", "--quiet", script, address, `${port}`];
    const child = new Child(program, {
      cwd: folder,
      logPath,
      args: [...before, Deno.execPath(), ...run],
    });
    return new PortWatch(child, logPath);
  }

  /** Ends it. */
  async end(): Promise<PortReport> {
    await this.#child.end("SIGTERM");
    const text = await Deno.readTextFile(this.#logPath);
    return JSON.parse(text.trim().split("\n").at(-1)!);
  }

  /** Ends it, whatever it found. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

async function connect(hostname: string, port: number): Promise<Deno.TcpConn> {
  const connection = await Deno.connect({ hostname, port });
  if (await connection.read(new Uint8Array(256)) === null) throw new Error("closed at once");
  return connection;
}

if (import.meta.main) {
  const [address, port] = [Deno.args[0], Number(Deno.args[1])];
  let isOver = false;
  Deno.addSignalListener("SIGTERM", () => isOver = true);
  const report: PortReport = { answered: 0, failures: [], isHeld: true };
  const held = await connect(address, port);
  // Nothing more is said: what comes is its end.
  const lost = () => report.isHeld = isOver;
  held.read(new Uint8Array(256)).then(lost, lost);
  while (!isOver) {
    try {
      (await connect(address, port)).close();
      report.answered++;
    } catch (error) {
      report.failures.push(`${error}`);
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
  console.log(JSON.stringify(report));
  Deno.exit();
}
