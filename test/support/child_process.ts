/**
 * Programs that a test starts, with their output in a file, ended by their own pid.
 *
 * @module
 */
import { createServer } from "node:net";

/** How one is started. */
export interface ChildOptions {
  /** Arguments. */
  args: readonly string[];
  /** Added to the environment. */
  env?: Record<string, string>;
  /** Its folder. */
  cwd: string;
  /** File that its output is added to. */
  logPath: string;
  /** Lets all else go first: for what would run on another machine than the VM. */
  elsewhere?: boolean;
}

/** One program that runs. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #logPath: string;
  #ended = false;

  /** Starts it. */
  constructor(program: string, { args, env = {}, cwd, logPath, elsewhere }: ChildOptions) {
    this.#logPath = logPath;
    // Deno cannot give a child a file; the shell does, and becomes the program.
    this.#process = new Deno.Command("sh", {
      args: [
        "-c",
        `exec ${elsewhere ? "nice -n 10 " : ""}"$0" "$@" >>"$LOG_PATH" 2>&1`,
        program,
        ...args,
      ],
      env: { ...env, LOG_PATH: logPath },
      cwd,
      stdin: "null",
    }).spawn();
    void this.#process.status.then(() => this.#ended = true);
  }

  /** Its process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Sends a signal and waits for the end; after 10 s it is killed. */
  async end(signal: Deno.Signal = "SIGTERM"): Promise<void> {
    if (this.#ended) return;
    this.#process.kill(signal);
    const timer = setTimeout(() => this.#ended || this.#process.kill("SIGKILL"), 10_000);
    await this.#process.status;
    clearTimeout(timer);
  }

  /** Sends a signal. */
  signal(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /** Resident memory now, in octets. */
  async residentBytes(): Promise<number> {
    const status = await Deno.readTextFile(`/proc/${this.pid}/status`);
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  /**
   * Waits until `check` returns a value.
   *
   * @throws with the end of its log when it has ended, or when that takes longer than `timeoutMs`
   */
  async until<T>(
    check: () => Promise<T | undefined>,
    what: string,
    timeoutMs = 60_000,
  ): Promise<T> {
    const endMs = performance.now() + timeoutMs;
    for (;;) {
      const value = await check().catch(() => undefined);
      if (value !== undefined) return value;
      if (this.#ended || performance.now() > endMs) {
        const log = await Deno.readTextFile(this.#logPath).catch(() => "");
        const how = this.#ended ? "the program ended" : `not within ${timeoutMs} ms`;
        throw new Error(`${what}: ${how}; ${this.#logPath} ends with:\n${log.slice(-2000)}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Ends it at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.end("SIGKILL");
  }
}

/** Runs a program to its end. @throws with what it said when it fails */
export async function runToEnd(
  program: string,
  args: readonly string[],
  { stdin, cwd, env }: { stdin?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<string> {
  const child = new Deno.Command(program, {
    args: [...args],
    ...(cwd !== undefined && { cwd }),
    ...(env !== undefined && { env }),
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) {
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin));
    await writer.close();
  }
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** TCP ports of loopback that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  const ports = [];
  for (const server of servers) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    ports.push((server.address() as { port: number }).port);
  }
  for (const server of servers) await new Promise((resolve) => server.close(resolve));
  return ports;
}
