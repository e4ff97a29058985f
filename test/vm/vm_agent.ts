/**
 * outrigger in a VM: the compiled binary as a unit of an ordinary user, and what sends the VM's lookups to
 * it.
 *
 * @module
 */
import { resolve } from "node:path";
import type { StatusReport } from "../../agent/health/api.ts";
import type { VirtualMachine } from "./virtual_machine.ts";

const BINARY = "/usr/local/bin/outrigger";
const NAMES = "/etc/outrigger/names.yaml";
const USER = "outrigger";
const CAPTURE = "/run/systemd/resolved.conf.d/outrigger.conf";
/** Where it serves DNS unless it is told otherwise. */
const DNS = { address: "127.0.0.1", port: 15053 };

/** One agent; it ends with its VM. */
export class VmAgent {
  readonly #vm: VirtualMachine;

  private constructor(vm: VirtualMachine) {
    this.#vm = vm;
  }

  /** Brings binary, user and names into the VM; starts nothing yet. */
  static async install(vm: VirtualMachine, names: string): Promise<VmAgent> {
    await vm.copyIn(await binaryUnderTest(), BINARY);
    await vm.writeFile(NAMES, names);
    await vm.run(["useradd", "--system", USER]);
    return new VmAgent(vm);
  }

  /** Starts it and waits until it is ready. */
  async start(): Promise<void> {
    await this.#vm.run([
      ...["systemd-run", "--quiet", "--collect", "--unit=outrigger", `--uid=${USER}`],
      ...["--property=StateDirectory=outrigger", "--setenv=OUTRIGGER_NODE_NAMESPACE=ns1"],
      ...[BINARY, "run", "--names", NAMES, "--state-dir", "/var/lib/outrigger"],
    ]);
    await this.untilStatus(({ waitingFor }) => waitingFor.length === 0, "the agent is ready");
  }

  /** Ends it in an orderly way. */
  async stop(): Promise<void> {
    await this.#vm.run(["systemctl", "stop", "outrigger"]);
  }

  /** Ends it as a crash does, and waits until its sockets are gone: what they still take is lost. */
  async kill(): Promise<void> {
    await this.#vm.run(["systemctl", "kill", "--signal=KILL", "outrigger"]);
    await this.#vm.until(async () => {
      const { code } = await this.#vm.attempt(["systemctl", "is-active", "--quiet", "outrigger"]);
      return code !== 0 || undefined;
    }, "the agent is dead");
  }

  /** Gives it other names, as a push does. */
  async replaceNames(names: string): Promise<void> {
    await this.#vm.writeFile(NAMES, names);
    await this.#vm.run(["systemctl", "kill", "--signal=HUP", "outrigger"]);
  }

  /** What `outrigger status --json` says. */
  async status(): Promise<StatusReport> {
    // Its exit code says how the agent is; what it prints is whole either way.
    const { stdout, stderr } = await this.#vm.attempt([BINARY, "status", "--json"], { user: USER });
    if (stdout === "") throw new Error(stderr);
    return JSON.parse(stdout);
  }

  /** Waits until its status is as `check` wants it. @returns how long that took, in milliseconds */
  async untilStatus(check: (status: StatusReport) => boolean, what: string): Promise<number> {
    const startedMs = performance.now();
    let last: StatusReport | undefined;
    try {
      await this.#vm.until(
        async () => {
          last = await this.status();
          return check(last) ? true : undefined;
        },
        what,
        15_000,
      );
    } catch (error) {
      throw new Error(`${what}: not so, but ${JSON.stringify(last)}`, { cause: error });
    }
    return performance.now() - startedMs;
  }

  /** Sends the VM's lookups to it, under a search list. */
  async capture(searchDomains: readonly string[]): Promise<void> {
    await this.#vm.writeFile(
      CAPTURE,
      [
        "[Resolve]",
        `DNS=${DNS.address}:${DNS.port}`,
        // ~. draws all names here, and so keeps them from the links' own servers.
        `Domains=${[...searchDomains, "~."].join(" ")}`,
        "",
      ].join("\n"),
    );
    await this.#reloadResolved();
  }

  /** Sends them there no more. */
  async release(): Promise<void> {
    await this.#vm.run(["rm", CAPTURE]);
    await this.#reloadResolved();
  }

  /** Version 252 cannot reload: it is restarted, and knows afterwards what it was told of its links. */
  async #reloadResolved(): Promise<void> {
    await this.#vm.run(["systemctl", "reload-or-restart", "systemd-resolved"]);
  }
}

/** The binary that `BINARY_UNDER_TEST` names, else the one of `deno task build`. */
export async function binaryUnderTest(): Promise<string> {
  const path = Deno.env.get("BINARY_UNDER_TEST") ||
    resolve(import.meta.dirname!, "../../dist/outrigger");
  if (await Deno.stat(path).catch(() => undefined) === undefined) {
    throw new Error(`there is no ${path}: run \`deno task build\`, or set BINARY_UNDER_TEST`);
  }
  return path;
}
