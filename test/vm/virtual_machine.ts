/**
 * A whole VM: systemd booted as process 1 under systemd-nspawn, on a layer of its own above an image that
 * stays as it is, in a network of its own. What it takes on the host (a folder, mounts, control groups)
 * is gone when it is disposed of, whatever became of the test. Needs root.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import type { VmNetwork } from "./vm_network.ts";

/** How a command in the VM ended. */
export interface CommandResult {
  /** Exit code. */
  code: number;
  /** What it wrote. */
  stdout: string;
  /** What it complained about. */
  stderr: string;
}

/** How long a boot may take, in milliseconds; measured: about a second. */
const BOOT_MS = 30_000;
/** Roots of the hierarchies that systemd keeps its units in: this, or both of these. */
const CGROUP_ROOT = "/sys/fs/cgroup";
const HYBRID_CGROUP_ROOTS = ["/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"];

/** One VM. */
export class VirtualMachine implements AsyncDisposable {
  /** Where it and its log are on the host. */
  readonly folder: string;
  readonly #start: () => Child;
  #nspawn: Child;
  #leader = 0;
  #undo: AsyncDisposableStack;

  private constructor(folder: string, start: () => Child, undo: AsyncDisposableStack) {
    this.folder = folder;
    this.#start = start;
    this.#nspawn = start();
    // To SIGTERM systemd-nspawn ends the VM in an orderly way; killed, it takes the VM with it.
    undo.defer(() => this.#nspawn.end("SIGTERM"));
    this.#undo = undo;
  }

  /** Boots one and waits until all of its units have started. */
  static async boot(
    { image, network, hasContainers = false }: {
      image: string;
      network: VmNetwork;
      /** Whether it starts containers of its own. */
      hasContainers?: boolean;
    },
  ): Promise<VirtualMachine> {
    await using undo = new AsyncDisposableStack();
    const folder = await Deno.makeTempDir({ prefix: "outrigger-vm-" });
    undo.defer(() => Deno.remove(folder));
    const root = await mountLayer(folder, image, undo);
    const cgroups = await makeCgroups(basename(folder), undo);
    const start = () =>
      new Child("sh", {
        cwd: folder,
        logPath: join(folder, "console.log"),
        env: {
          SYSTEMD_NSPAWN_UNIFIED_HIERARCHY: "1",
          CGROUPS: cgroups.join(" "),
          // Else /proc/sys/net, where container engines turn on forwarding, cannot be written.
          ...hasContainers && { SYSTEMD_NSPAWN_API_VFS_WRITABLE: "network" },
        },
        args: [
          ...["-c", 'for c in $CGROUPS; do echo $$ >"$c/cgroup.procs"; done; exec "$@"', "sh"],
          ...["systemd-nspawn", "--quiet", "--boot", `--directory=${root}`, "--machine=vm"],
          ...["--register=no", "--keep-unit", "--console=pipe"],
          // The VM's own at each boot, and not the host's.
          "--resolv-conf=off",
          // As in a VM: without it no socket gets a larger buffer than the host's limit.
          "--capability=CAP_NET_ADMIN",
          // What runc calls for each container: a keyring of its own, and its devices as a BPF program.
          ...hasContainers ? ["--system-call-filter=add_key keyctl bpf"] : [],
          `--network-namespace-path=${network.vm}`,
        ],
      });
    const vm = new VirtualMachine(folder, start, undo);
    await vm.#untilBooted();
    vm.#undo = undo.move();
    return vm;
  }

  /** Runs a command with the VM's own capabilities, as root unless `user` is given. */
  attempt(command: readonly string[], { user = "root" } = {}): Promise<CommandResult> {
    const unit = ["systemd-run", "--quiet", "--wait", "--pipe", "--collect", `--uid=${user}`, "--"];
    return output(enter(this.#leader, [...unit, ...command]));
  }

  /** The same for a command that has to succeed. @returns what it wrote @throws when it fails */
  async run(command: readonly string[], options: { user?: string } = {}): Promise<string> {
    const { code, stdout, stderr } = await this.attempt(command, options);
    if (code !== 0) {
      throw new Error(`${command.join(" ")}: exit code ${code}\n${stdout}${stderr}`);
    }
    return stdout;
  }

  /** Writes a file of root's that all may read, whole or not at all. */
  async writeFile(path: string, text: string): Promise<void> {
    const target = await this.#target(path);
    await Deno.writeTextFile(`${target}.new`, text);
    await Deno.rename(`${target}.new`, target);
  }

  /** Copies a file of the host into it, with its mode. */
  async copyIn(from: string, path: string): Promise<void> {
    await Deno.copyFile(from, await this.#target(path));
  }

  /** Waits until `check` returns a value. @throws with the end of the console when it takes too long */
  until<T>(check: () => Promise<T | undefined>, what: string, timeoutMs = 10_000): Promise<T> {
    return this.#nspawn.until(check, what, timeoutMs);
  }

  /** Turns it off, in an orderly way or by a power cut, and boots it again. */
  async reboot({ powerCut = false } = {}): Promise<void> {
    await this.#nspawn.end(powerCut ? "SIGKILL" : "SIGTERM");
    // Process 1 is gone when all of its namespace is: what is left of it would hold its sockets.
    while (await Deno.stat(`/proc/${this.#leader}`).catch(() => undefined) !== undefined) {
      await runToEnd("kill", ["-KILL", `${this.#leader}`]).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#nspawn = this.#start();
    await this.#untilBooted();
  }

  /** Turns it off in an orderly way, and removes what it took on the host. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#undo.disposeAsync();
  }

  async #untilBooted(): Promise<void> {
    // The first child of systemd-nspawn is the VM's process 1.
    const leader = await this.until(() => leaderOf(this.#nspawn.pid), "the VM boots", BOOT_MS);
    await this.until(
      async () => {
        const { stdout } = await output(enter(leader, ["systemctl", "is-system-running"]));
        return /^(running|degraded)$/m.test(stdout) ? true : undefined;
      },
      "the VM has booted",
      BOOT_MS,
    );
    this.#leader = leader;
  }

  /** Where a path of it is on the host: through process 1, whose mounts are seen. */
  pathOnHost(path: string): string {
    return `/proc/${this.#leader}/root${path}`;
  }

  async #target(path: string): Promise<string> {
    const target = this.pathOnHost(path);
    await Deno.mkdir(dirname(target), { recursive: true });
    return target;
  }
}

/** A layer in memory above the image: nothing of it is left on disk, whatever happens. */
async function mountLayer(
  folder: string,
  image: string,
  undo: AsyncDisposableStack,
): Promise<string> {
  await runToEnd("mount", ["-t", "tmpfs", "-o", "mode=755", "outrigger-vm", folder]);
  undo.defer(async () => void await runToEnd("umount", [folder]));
  const [root, upper, work] = ["root", "upper", "work"].map((name) => join(folder, name));
  for (const path of [root, upper, work]) await Deno.mkdir(path);
  const layers = `lowerdir=${image},upperdir=${upper},workdir=${work}`;
  await runToEnd("mount", ["-t", "overlay", "-o", layers, "outrigger-vm", root]);
  undo.defer(async () => void await runToEnd("umount", [root]));
  await Deno.writeTextFile(join(root, "etc/hostname"), "vm\n");
  return root;
}

/** A control group of its own in each hierarchy: two VMs in one would write over each other's. */
async function makeCgroups(name: string, undo: AsyncDisposableStack): Promise<string[]> {
  const isHybrid = await Deno.stat(HYBRID_CGROUP_ROOTS[0]).catch(() => undefined) !== undefined;
  const cgroups = (isHybrid ? HYBRID_CGROUP_ROOTS : [CGROUP_ROOT]).map((root) => join(root, name));
  for (const cgroup of cgroups) {
    await Deno.mkdir(cgroup);
    // systemd leaves one for each unit behind.
    undo.defer(async () =>
      void await runToEnd("find", [cgroup, "-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
    );
  }
  return cgroups;
}

/** The VM's process 1 as the host sees it, once it is systemd. */
async function leaderOf(nspawn: number): Promise<number | undefined> {
  const children = await Deno.readTextFile(`/proc/${nspawn}/task/${nspawn}/children`);
  for (const pid of children.trim().split(" ")) {
    const name = await Deno.readTextFile(`/proc/${pid}/comm`);
    if (name.trim() === "systemd") return Number(pid);
  }
}

/** A command inside, with the host's capabilities. */
function enter(leader: number, command: readonly string[]): string[] {
  return ["nsenter", "-t", `${leader}`, "-a", "--", ...command];
}

async function output([program, ...args]: readonly string[]): Promise<CommandResult> {
  const command = new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  });
  const { code, stdout, stderr } = await command.output();
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
}
