/**
 * A DHCP server beyond a VM's eth0: dnsmasq, with one lease to give, and a nameserver in it that can change.
 *
 * @module
 */
import { join } from "node:path";
import type { Child } from "../support/child_process.ts";
import { startDnsmasq } from "./dnsmasq.ts";
import type { VmNetwork } from "./vm_network.ts";

/** The address that it leases. */
export const LEASED = "192.0.2.2";

/** One DHCP server. */
export class DhcpServer implements AsyncDisposable {
  readonly #child: Child;
  readonly #optionsPath: string;

  private constructor(child: Child, optionsPath: string) {
    this.#child = child;
    this.#optionsPath = optionsPath;
  }

  /** Starts one and waits until it serves. */
  static async start(
    { folder, network, nameserver }: { folder: string; network: VmNetwork; nameserver: string },
  ): Promise<DhcpServer> {
    const optionsPath = join(folder, "dhcp-options");
    await Deno.writeTextFile(optionsPath, optionOf(nameserver));
    const child = await startDnsmasq([
      ...[`--dhcp-range=${LEASED},${LEASED},1h`, "--dhcp-authoritative", "--no-ping"],
      ...["--user=root", "--port=0", "--interface=eth0"],
      ...[`--dhcp-leasefile=${join(folder, "leases")}`, `--dhcp-optsfile=${optionsPath}`],
    ], { network, logPath: join(folder, "dhcp.log") });
    return new DhcpServer(child, optionsPath);
  }

  /** What leases name from now on. */
  async replaceNameserver(address: string): Promise<void> {
    await Deno.writeTextFile(this.#optionsPath, optionOf(address));
    this.#child.signal("SIGHUP");
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child[Symbol.asyncDispose]();
  }
}

function optionOf(nameserver: string): string {
  return `option:dns-server,${nameserver}\n`;
}
