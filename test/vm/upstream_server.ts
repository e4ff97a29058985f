/**
 * A nameserver of the world beyond a VM's links: dnsmasq with records of its own, and every question
 * that it was ever asked.
 *
 * @module
 */
import { join } from "node:path";
import type { Child } from "../support/child_process.ts";
import { startDnsmasq } from "./dnsmasq.ts";
import type { VmNetwork } from "./vm_network.ts";

/** What one is started with. */
export interface UpstreamServerOptions {
  /** Where its log goes. */
  folder: string;
  /** What it is part of. */
  network: VmNetwork;
  /** Its address there; it serves port 53. */
  address: string;
  /** Addresses by name; all else below `domains` does not exist. */
  hosts: Record<string, readonly string[]>;
  /** What it is in charge of. */
  domains: readonly string[];
}

/** One nameserver. */
export class UpstreamServer implements AsyncDisposable {
  readonly #child: Child;
  readonly #logPath: string;

  private constructor(child: Child, logPath: string) {
    this.#child = child;
    this.#logPath = logPath;
  }

  /** Starts one and waits until it serves. */
  static async start(
    { folder, network, address, hosts, domains }: UpstreamServerOptions,
  ): Promise<UpstreamServer> {
    const logPath = join(folder, `dnsmasq-${address}.log`);
    const child = await startDnsmasq([
      ...[`--listen-address=${address}`, "--no-resolv", "--no-hosts"],
      ...["--log-queries", "--local-ttl=60"],
      ...domains.map((domain) => `--local=/${domain}/`),
      ...Object.entries(hosts).flatMap(([name, addresses]) =>
        addresses.map((address) => `--host-record=${name},${address}`)
      ),
    ], { network, logPath });
    return new UpstreamServer(child, logPath);
  }

  /** Every question so far, in order: `NAME TYPE`. */
  async questions(): Promise<string[]> {
    const log = await Deno.readTextFile(this.#logPath);
    return [...log.matchAll(/ query\[([^\]]+)\] (\S+) from /g)].map(([, type, name]) =>
      `${name} ${type}`
    );
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}
