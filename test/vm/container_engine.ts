/**
 * A container engine in a VM, as its owner uses it: Docker or Podman of Debian, and an image of what resolves
 * names in containers: glibc (`getent`) and busybox, which has a resolver of its own, as Alpine's musl has.
 *
 * @module
 */
import type { VirtualMachine } from "./virtual_machine.ts";

/** Which one; what its command is called. */
export type EngineName = "docker" | "podman";

/** The packages of a VM with one, beside those of all images. */
export const ENGINE_PACKAGES: Record<EngineName, readonly string[]> = {
  docker: ["docker.io", "busybox-static", "nftables"],
  // Not crun, its default: that raises a limit of its own, for which root needs CAP_SYS_RESOURCE.
  podman: ["podman", "netavark", "aardvark-dns", "runc", "iptables", "busybox-static", "nftables"],
};

/** Makes the image `box`, of files of the VM. */
const MAKE_IMAGE = `
  mkdir -p /opt/box/bin
  cp /bin/busybox /opt/box/bin
  for file in /usr/bin/getent $(ldd /usr/bin/getent | grep -o '/[^ ]*'); do
    cp --parents --dereference "$file" /opt/box
  done
  tar --directory /opt/box --create --file /opt/box.tar .`;
/** Podman's configuration: what Docker finds out by itself, no controllers of cgroups, a disk that is an overlay. */
const PODMAN_FILES: Record<string, string> = {
  "/etc/containers/containers.conf": '[containers]\npids_limit = 0\n[engine]\nruntime = "runc"\n',
  "/etc/containers/storage.conf": [
    "[storage]",
    'driver = "vfs"',
    'runroot = "/run/containers/storage"',
    'graphroot = "/var/lib/containers/storage"',
    "",
  ].join("\n"),
};
/** Waits to be killed, and dies at once: a process 1 that heeds no SIGTERM holds up the shutdown. */
const START = ["run", "--detach", "--stop-signal=KILL"];
const WAIT = ["box", "/bin/busybox", "tail", "-f", "/dev/null"];

/** What programs of a container are told about a name: addresses of IPv4, none where there are none. */
export interface ContainerAnswers {
  /** glibc, by UDP. */
  glibc: string[];
  /** glibc, by TCP. */
  tcp: string[];
  /** busybox. */
  busybox: string[];
}

/** The engine of one VM. */
export class ContainerEngine {
  readonly #vm: VirtualMachine;
  readonly #command: string[];

  private constructor(vm: VirtualMachine, name: EngineName) {
    this.#vm = vm;
    // Where that is set, Podman leaves containers in the unit that it is called by, and they end with it.
    this.#command = ["env", "--unset=INVOCATION_ID", name];
  }

  /** Takes the engine of a VM, and makes it an image. */
  static async prepare(vm: VirtualMachine, name: EngineName): Promise<ContainerEngine> {
    const engine = new ContainerEngine(vm, name);
    const files = name === "podman" ? PODMAN_FILES : {};
    for (const [path, text] of Object.entries(files)) await vm.writeFile(path, text);
    await vm.run(["sh", "-ec", MAKE_IMAGE]);
    await engine.run(["import", "/opt/box.tar", "box"]);
    return engine;
  }

  /** Runs its command. @returns what it wrote @throws when it fails */
  run(args: readonly string[]): Promise<string> {
    return this.#vm.run([...this.#command, ...args]);
  }

  /** Starts a container that stays. @param network unless given, the one that the engine has by itself */
  async start(container: string, network?: string): Promise<void> {
    const where = network === undefined ? [] : ["--network", network];
    await this.run([...START, "--name", container, ...where, ...WAIT]);
  }

  /** Its nameservers, by its resolv.conf. */
  async nameservers(container: string): Promise<string[]> {
    const text = await this.run(["exec", container, "/bin/busybox", "cat", "/etc/resolv.conf"]);
    return [...text.matchAll(/^nameserver (\S+)/gm)].map(([, address]) => address);
  }

  /** Asks in a container, in each way. */
  async ask(container: string, name: string): Promise<ContainerAnswers> {
    const [glibc, tcp, busybox] = await Promise.all([
      this.getent(container, name),
      this.getent(container, name, ["--env", "RES_OPTIONS=use-vc"]),
      this.nslookup(container, [name]),
    ]);
    return { glibc, tcp, busybox };
  }

  /** Asks with glibc. */
  async getent(
    container: string,
    name: string,
    options: readonly string[] = [],
  ): Promise<string[]> {
    const command = ["exec", ...options, container, "/usr/bin/getent", "ahostsv4", name];
    const { stdout } = await this.#vm.attempt([...this.#command, ...command]);
    return [...new Set([...stdout.matchAll(/^([\d.]+)\s/gm)].map(([, address]) => address))];
  }

  /** Asks with busybox. @param args a name, and the nameserver's address where it is another */
  async nslookup(container: string, args: readonly string[]): Promise<string[]> {
    const { stdout } = await this.#vm.attempt([
      ...this.#command,
      ...["exec", container, "/bin/busybox", "nslookup", "-type=a", ...args],
    ]);
    return [...stdout.matchAll(/^Name:\t.*\nAddress: (\S+)$/gm)].map(([, address]) => address);
  }
}
