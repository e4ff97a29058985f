/**
 * What a VM is plugged into: two network namespaces that nothing else is in, the VM's own and the world
 * beyond its links, with a pair of virtual Ethernet devices for each link. Nothing of the host is
 * reachable from there, and every address can be used by any number of networks at once.
 *
 * @module
 */
import { join } from "node:path";
import { runToEnd } from "../support/child_process.ts";

/** One link of the VM; the device is called the same at both ends. */
export interface VmLink {
  /** Name of the device. */
  name: string;
  /** Addresses at the VM's end, with their prefix lengths. */
  addresses: readonly string[];
  /** Addresses at the other end, likewise. */
  beyond: readonly string[];
}

/** A network for one VM. */
export class VmNetwork implements AsyncDisposable {
  /** File of the VM's own namespace. */
  readonly vm: string;
  readonly #beyond: string;
  readonly #namespaces: string[];

  private constructor(namespaces: [vm: string, beyond: string]) {
    this.#namespaces = namespaces;
    [this.vm, this.#beyond] = namespaces.map((name) => join("/run/netns", name));
  }

  /** Makes one. @throws when `ip` refuses, as without root */
  static async create(links: readonly VmLink[]): Promise<VmNetwork> {
    const id = crypto.randomUUID().slice(0, 8);
    const vm = `outrigger-vm-${id}`;
    const beyond = `outrigger-beyond-${id}`;
    await using undo = new AsyncDisposableStack();
    for (const namespace of [vm, beyond]) {
      await ip(["netns", "add", namespace]);
      undo.defer(() => ip(["netns", "delete", namespace]));
      await ip(["-n", namespace, "link", "set", "lo", "up"]);
    }
    for (const { name, addresses, beyond: others } of links) {
      await ip(["-n", beyond, "link", "add", name, "type", "veth", "peer", name, "netns", vm]);
      for (const [namespace, own] of [[vm, addresses], [beyond, others]] as const) {
        for (const address of own) {
          // Without duplicate address detection, which takes a second.
          const options = address.includes(":") ? ["nodad"] : [];
          await ip(["-n", namespace, "address", "add", address, "dev", name, ...options]);
        }
        await ip(["-n", namespace, "link", "set", name, "up"]);
      }
    }
    undo.move();
    return new VmNetwork([vm, beyond]);
  }

  /** The words before a command that make it run beyond the VM's links. */
  get beyond(): string[] {
    return ["nsenter", `--net=${this.#beyond}`];
  }

  /** Removes it, and with the namespaces its devices. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const namespace of this.#namespaces) await ip(["netns", "delete", namespace]);
  }
}

async function ip(args: readonly string[]): Promise<void> {
  await runToEnd("ip", args);
}
