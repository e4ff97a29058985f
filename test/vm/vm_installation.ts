/**
 * What `outrigger install` needs in a VM, and no more.
 *
 * @module
 */
import { binaryUnderTest } from "./vm_agent.ts";
import { meshNames } from "./vm_scene.ts";
import type { VirtualMachine } from "./virtual_machine.ts";

/** The program as it was downloaded. */
export const PROGRAM = "/opt/outrigger";
/** The program as it was installed. */
export const BINARY = "/usr/local/bin/outrigger";
/** The arguments of an installation. */
export const INSTALL = ["install", "--config", "/opt/config.yaml"];

const CONFIG = "node: { namespace: ns1 }\nnames: { files: [/opt/names.yaml] }\n";

/** Brings program, configuration and names. @param more lines of the configuration */
export async function bring(vm: VirtualMachine, more = ""): Promise<void> {
  await vm.copyIn(await binaryUnderTest(), PROGRAM);
  await vm.writeFile("/opt/names.yaml", meshNames());
  await vm.writeFile("/opt/config.yaml", `${CONFIG}${more}`);
}

/** What `nft list ruleset` says, without counters. */
export async function ruleset(vm: VirtualMachine): Promise<string> {
  return (await vm.run(["nft", "-s", "list", "ruleset"])).trim();
}

/** A resolv.conf that somebody wrote by hand. */
export const STATIC = "# by hand\nnameserver 192.0.2.53\noptions timeout:2\n";

/** Makes it a VM whose programs read a static resolv.conf. */
export async function withoutResolved(vm: VirtualMachine): Promise<void> {
  await vm.run(["sh", "-ec", WITHOUT_RESOLVED]);
}

/** What {@link withoutResolved} does. */
export const WITHOUT_RESOLVED = `
  systemctl --quiet disable --now systemd-resolved || :
  sed -i 's/^hosts:.*/hosts: files dns/' /etc/nsswitch.conf
  rm -f /etc/resolv.conf
  printf '${STATIC}' > /etc/resolv.conf
`;
