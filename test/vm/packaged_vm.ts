/**
 * A VM that packages are tried on.
 *
 * @module
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { PACKAGE_LAYOUT } from "../../systemd/layout.ts";
import { NEW_VERSION } from "./new_versions.ts";
import { report } from "./report.ts";
import type { CommandResult, VirtualMachine } from "./virtual_machine.ts";
import { differences, filesOf } from "./vm_files.ts";
import { bring } from "./vm_installation.ts";
import { underLoad } from "./vm_load.ts";
import { getent } from "./vm_lookups.ts";
import { NEW_DESCRIPTION, type PackagedVersion, type TestPackages } from "./vm_packages.ts";
import type { BareScene } from "./vm_scene.ts";

const LOAD = { perSecond: 2_000, seconds: 14 };
/** What the package managers write down for themselves. */
const DATABASES = /^\/(var\/(lib|cache)\/(dpkg|apt|debconf)|root\/\.rpmdb)[/:]/;

/** Which package manager, and its commands. */
export type PackageManager = "apt" | "dpkg" | "rpm";
const COMMANDS = {
  apt: {
    // Without the network: what is recommended is not to be had.
    install: ["apt-get", "--allow-downgrades", "--no-install-recommends", "install"],
    remove: ["apt-get", "remove", "outrigger"],
  },
  dpkg: { install: ["dpkg", "--install"], remove: ["dpkg", "--remove", "outrigger"] },
  // Debian's own packages, which ours depends on, are none that rpm knows of.
  rpm: { install: ["rpm", "--upgrade", "--nodeps"], remove: ["rpm", "--erase", "outrigger"] },
};

/** What is found where lookups go to the agent, and where they do not. */
export const CAPTURED = { mesh: "10.96.1.1", world: "203.0.113.80" };
/** The other. */
export const FREE = { mesh: "", world: "203.0.113.80" };

/** One VM with the packages in /opt. */
export class PackagedVm {
  /** The VM. */
  readonly vm: VirtualMachine;
  readonly #scene: BareScene;
  readonly #packages: TestPackages;
  readonly #manager: PackageManager;

  private constructor(scene: BareScene, packages: TestPackages, manager: PackageManager) {
    this.vm = scene.vm;
    this.#scene = scene;
    this.#packages = packages;
    this.#manager = manager;
  }

  /** Brings them, and what they are tried with. */
  static async prepare(
    scene: BareScene,
    { packages, manager }: { packages: TestPackages; manager: PackageManager },
  ): Promise<PackagedVm> {
    const packaged = new PackagedVm(scene, packages, manager);
    await bring(scene.vm);
    for (const version of ["first", "next", "otherSockets"] as const) {
      const name = packaged.#name(version);
      await scene.vm.copyIn(join(packages.folder, name), `/opt/${name}`);
    }
    return packaged;
  }

  #name(version: PackagedVersion): string {
    const end = this.#manager === "rpm" ? ".rpm" : ".deb";
    return this.#packages[version].find((name) => name.endsWith(end))!;
  }

  /** Installs a package, or upgrades to it. */
  async install(version: PackagedVersion): Promise<CommandResult> {
    const { install } = COMMANDS[this.#manager];
    const result = await this.vm.attempt([...install, `/opt/${this.#name(version)}`]);
    // apt shows what others say as on a terminal.
    return { ...result, stdout: result.stdout.replaceAll("\r", "") };
  }

  /** Removes it. */
  remove(): Promise<string> {
    return this.vm.run(COMMANDS[this.#manager].remove);
  }

  /** What a mesh name and a public one are found to be. */
  async lookups(): Promise<{ mesh: string; world: string }> {
    const mesh = await getent(this.vm, "productpage.ns1.svc.cluster.local");
    const world = await getent(this.vm, "www.example.org", "ahostsv4");
    return { mesh: mesh.join(), world: world.join() };
  }

  /** Waits until lookups go to the agent, as after a boot. */
  async untilCaptured(what: string): Promise<void> {
    const check = async () => (await this.lookups()).mesh === CAPTURED.mesh || undefined;
    await this.vm.until(check, what, 40_000);
    assert.deepEqual(await this.lookups(), CAPTURED, what);
  }

  /** The units that systemd has in memory, but for those that end by themselves. */
  async units(): Promise<string> {
    return (await this.vm.run(["systemctl", "list-units", "--no-legend", "--plain", "outrigger*"]))
      .trim();
  }

  /** Upgrades to the next version while queries come, of which none may be lost. */
  async upgradeUnderLoad(): Promise<void> {
    const load = await underLoad(this.#scene.network, LOAD, async () => {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const startedMs = performance.now();
      const { code, stdout, stderr } = await this.install("next");
      report("package upgraded", performance.now() - startedMs);
      assert.equal(code, 0, stderr);
      assert.doesNotMatch(stdout, /outrigger install|other sockets/);
    });
    console.log(JSON.stringify(load));
    assert.deepEqual([load.udp.lost, load.udp.failed], [0, 0]);
    assert.equal(load.tcp.answered + load.tcp.cut, load.tcp.sent);
    const { stdout } = await this.vm.attempt([PACKAGE_LAYOUT.program, "status", "--json"]);
    assert.equal(JSON.parse(stdout).version, NEW_VERSION);
    const show = ["systemctl", "show", "--property=Description", "--value", "outrigger.service"];
    assert.equal((await this.vm.run(show)).trim(), NEW_DESCRIPTION);
  }

  /** What differs from before, but for what the package managers write down. */
  async changesSince(before: ReadonlyMap<string, string>): Promise<string[]> {
    return differences(before, await filesOf(this.vm)).filter((line) => !DATABASES.test(line));
  }
}
