/**
 * The queries of containers: whatever nameserver they ask from behind their bridge, the agent answers on
 * the bridge's address. In our one nftables table, beside what redirects the VM's own queries or alone. Left
 * alone are their engine's own nameserver on the bridge (which knows containers by name, and asks as the VM
 * does), and one that is a container behind the same bridge: bridged packets come here too (br_netfilter).
 *
 * @module
 */
import type { SocketAddress } from "../../agent/system/socket_address.ts";
import type { ContainerBridge, VmFacts } from "../facts.ts";
import type { CaptureSettings } from "./capture.ts";

/** The bridges whose containers are captured. */
export function capturedBridges(
  { containerBridges }: Pick<VmFacts, "containerBridges">,
  { containers }: Pick<CaptureSettings, "containers">,
): readonly ContainerBridge[] {
  return containers ? containerBridges : [];
}

/** Those on whose address the agent has a socket, and those that came since the installation. */
export function bridgesBySocket(
  { containerBridges, listeners }: Pick<VmFacts, "containerBridges" | "listeners">,
  { dns }: { dns: Pick<SocketAddress, "port"> },
): { served: ContainerBridge[]; unserved: ContainerBridge[] } {
  const isServed = ({ address }: ContainerBridge) =>
    listeners.some((listener) => listener.address === address && listener.port === dns.port);
  return {
    served: containerBridges.filter(isServed),
    unserved: containerBridges.filter((bridge) => !isServed(bridge)),
  };
}

/** The chain, a line each; none without bridges. Only IPv4: that is what the bridges' sockets serve. */
export function containerChain(
  bridges: readonly ContainerBridge[],
  port: number,
): string[] {
  if (bridges.length === 0) return [];
  const rules = bridges.flatMap(({ name, address }) =>
    ["udp", "tcp"].map((protocol) =>
      `    iifname "${name}" meta nfproto ipv4 fib daddr type != local fib daddr oifname != "${name}" ` +
      `${protocol} dport 53 counter dnat ip to ${address}:${port}`
    )
  );
  return [
    "  chain redirect_containers {",
    "    type nat hook prerouting priority -100; policy accept;",
    ...rules,
    "  }",
  ];
}
