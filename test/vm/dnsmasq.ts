/**
 * dnsmasq in the world beyond a VM's links, for nameservers and DHCP servers of tests.
 *
 * @module
 */
import { dirname } from "node:path";
import { Child } from "../support/child_process.ts";
import type { VmNetwork } from "./vm_network.ts";

/**
 * Starts one with these options and no others, and waits until it serves.
 *
 * @param options `logPath` is where its log goes
 */
export async function startDnsmasq(
  args: readonly string[],
  { network, logPath }: { network: VmNetwork; logPath: string },
): Promise<Child> {
  const [program, ...before] = network.beyond;
  const own = ["--keep-in-foreground", "--conf-file=/dev/null", "--pid-file=", "--log-facility=-"];
  const child = new Child(program, {
    cwd: dirname(logPath),
    logPath,
    args: [...before, "dnsmasq", ...own, "--bind-interfaces", ...args],
  });
  try {
    await child.until(
      async () => (await Deno.readTextFile(logPath)).includes(" started, ") || undefined,
      `dnsmasq serves (${args[0]})`,
      10_000,
    );
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
  return child;
}
