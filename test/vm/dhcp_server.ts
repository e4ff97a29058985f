/**
 * A DHCP server beyond a VM's eth0: dnsmasq, with one lease to give, and a nameserver in it that can change.
 *
 * @module
 */
import { join } from "node:path";
import { Child } from "../support/child_process.ts";
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
    const logPath = join(folder, "dhcp.log");
    const optionsPath = join(folder, "dhcp-options");
    await Deno.writeTextFile(optionsPath, optionOf(nameserver));
    const [program, ...before] = network.beyond;
    const child = new Child(program, {
      cwd: folder,
      logPath,
      args: [
        ...before,
        ...["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--pid-file="],
        ...["--user=root", "--port=0", "--interface=eth0", "--bind-interfaces", "--no-ping"],
        ...["--log-facility=-", "--dhcp-authoritative", `--dhcp-range=${LEASED},${LEASED},1h`],
        ...[`--dhcp-leasefile=${join(folder, "leases")}`, `--dhcp-optsfile=${optionsPath}`],
      ],
    });
    const server = new DhcpServer(child, optionsPath);
    try {
      await child.until(
        async () => (await Deno.readTextFile(logPath)).includes(" started, ") || undefined,
        "dnsmasq serves DHCP",
        10_000,
      );
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
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
