/**
 * A booted VM with outrigger's units in it, as an installer leaves them. What captures and releases is a
 * stand-in that writes down when it was called; what runs is the compiled binary, or what a test puts in
 * its place.
 *
 * @module
 */
import type { StatusReport } from "../../agent/health/api.ts";
import { ENABLED_UNITS, UNITS } from "../../systemd/units.ts";
import { runToEnd } from "../support/child_process.ts";
import { debianImage, type Suite } from "./debian_image.ts";
import type { QueryLoad } from "./query_load.ts";
import { VirtualMachine } from "./virtual_machine.ts";
import { binaryUnderTest } from "./vm_agent.ts";
import { VmNetwork } from "./vm_network.ts";
import { meshNames } from "./vm_scene.ts";

const REAL = "/usr/local/lib/outrigger/outrigger";
/** Kept over a reboot. */
const CAPTURES = "/var/captures";
/** What runs where nothing is broken. */
const WORKING = `exec ${REAL} "$@"`;

/** One VM with the units. */
export class UnitScene implements AsyncDisposable {
  /** The VM. */
  readonly vm: VirtualMachine;
  /** Its version of systemd. */
  readonly systemd: number;
  readonly #network: VmNetwork;
  readonly #all: AsyncDisposableStack;

  private constructor(
    parts: { vm: VirtualMachine; systemd: number; network: VmNetwork; all: AsyncDisposableStack },
  ) {
    this.vm = parts.vm;
    this.systemd = parts.systemd;
    this.#network = parts.network;
    this.#all = parts.all;
  }

  /** Boots one and installs; enables and starts nothing. */
  static async install(suite: Suite): Promise<UnitScene> {
    const image = await debianImage(suite);
    await using undo = new AsyncDisposableStack();
    const network = undo.use(
      await VmNetwork.create([
        { name: "eth0", addresses: ["192.0.2.2/24"], beyond: ["192.0.2.1/24"] },
      ]),
    );
    const vm = undo.use(await VirtualMachine.boot({ image, network }));
    const systemd = Number(/^systemd (\d+)/.exec(await vm.run(["systemctl", "--version"]))![1]);
    const scene = new UnitScene({ vm, systemd, network, all: undo.move() });
    try {
      await vm.copyIn(await binaryUnderTest(), REAL);
      await scene.replaceProgram();
      for (const { path, text, sinceSystemd = 0 } of UNITS) {
        if (systemd >= sinceSystemd) await vm.writeFile(path, text);
      }
      await vm.run(["systemd-sysusers"]);
      await vm.run(["systemd-tmpfiles", "--create"]);
      await vm.writeFile("/etc/outrigger/names.yaml", meshNames());
      await vm.writeFile(
        "/etc/outrigger/config.yaml",
        [
          "names: { files: [/etc/outrigger/names.yaml] }",
          "node: { namespace: ns1 }",
          "dns: { upstreams: [192.0.2.1] }",
          "",
        ].join("\n"),
      );
      await vm.run(["systemctl", "daemon-reload"]);
      return scene;
    } catch (error) {
      await scene[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Enables and starts it all. */
  async start(): Promise<void> {
    await this.vm.run(["systemctl", "enable", "--now", ...ENABLED_UNITS]);
  }

  /** Puts a shell script in the place of `outrigger run`; the agent unless given. */
  async replaceProgram(script = WORKING): Promise<void> {
    const path = "/usr/local/bin/outrigger";
    await this.vm.writeFile(
      path,
      `#!/bin/sh\nif [ "$1" = capture ]; then echo "$2" >>${CAPTURES}; exit; fi\n${script}\n`,
    );
    await this.vm.run(["chmod", "755", path]);
  }

  /** `up` and `down` in the order in which they were asked for, since the last look. */
  async captures(): Promise<string[]> {
    // Moved and then read: what comes in between is not forgotten.
    const take = `mv ${CAPTURES} ${CAPTURES}.taken && cat ${CAPTURES}.taken`;
    const { stdout } = await this.vm.attempt(["sh", "-c", take]);
    return stdout.split("\n").filter((line) => line !== "");
  }

  /** Waits until the capture was released, or put in place. @returns how long that took, in milliseconds */
  async untilCaptured(how: "up" | "down", timeoutMs: number): Promise<number> {
    const startedMs = performance.now();
    await this.vm.until(
      async () => (await this.captures()).includes(how) || undefined,
      `capture ${how}`,
      timeoutMs,
    );
    return performance.now() - startedMs;
  }

  /** What the agent says of itself. */
  async status(): Promise<StatusReport> {
    // Its exit code is 1 where something is wrong, as the nameserver is that does not answer.
    return JSON.parse((await this.vm.attempt([REAL, "status", "--json"])).stdout);
  }

  /** A property of a unit, as `systemctl show` has it. */
  async property(unit: string, name: string): Promise<string> {
    const text = await this.vm.run(["systemctl", "show", `--property=${name}`, unit]);
    return text.trim().slice(name.length + 1);
  }

  /** Waits until a property is as it should be. */
  async untilProperty(
    unit: string,
    name: string,
    value: string,
    timeoutMs?: number,
  ): Promise<void> {
    await this.vm.until(
      async () => await this.property(unit, name) === value || undefined,
      `${name} of ${unit} is ${value}`,
      timeoutMs,
    );
  }

  /** Asks the agent at a steady rate while `disturb` happens. */
  async load(
    { perSecond, seconds }: { perSecond: number; seconds: number },
    disturb: () => Promise<void>,
  ): Promise<QueryLoad> {
    const program = new URL("query_load.ts", import.meta.url).pathname;
    const asked = runToEnd("nsenter", [
      ...[`--net=${this.#network.vm}`, Deno.execPath(), "run", "--allow-all", "--quiet", program],
      ...["127.0.0.1:15053", "productpage.ns1.svc.cluster.local"],
      ...[`${perSecond}`, `${seconds}`],
    ]);
    await disturb();
    return JSON.parse(await asked);
  }

  /** Turns it all off. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#all.disposeAsync();
  }
}
