/**
 * Load in the network of a VM, while something happens to it.
 *
 * @module
 */
import { runToEnd } from "../support/child_process.ts";
import type { QueryLoad } from "./query_load.ts";
import type { TcpLoad } from "./tcp_load.ts";
import type { VmNetwork } from "./vm_network.ts";

const SERVER = "127.0.0.1:15053";
const NAME = "productpage.ns1.svc.cluster.local";

/** Asks the agent over UDP at a steady rate, and over TCP, while `disturb` happens. */
export async function underLoad(
  network: VmNetwork,
  { perSecond, seconds }: { perSecond: number; seconds: number },
  disturb: () => Promise<void>,
): Promise<{ udp: QueryLoad; tcp: TcpLoad }> {
  const ask = async (program: string, args: string[]) => {
    const path = new URL(program, import.meta.url).pathname;
    const deno = [Deno.execPath(), "run", "--allow-all", "--quiet", path];
    return JSON.parse(await runToEnd("nsenter", [`--net=${network.vm}`, ...deno, ...args]));
  };
  const udp = ask("query_load.ts", [SERVER, NAME, `${perSecond}`, `${seconds}`]);
  const tcp = ask("tcp_load.ts", [SERVER, NAME, `${seconds}`]);
  await disturb();
  return { udp: await udp, tcp: await tcp };
}
