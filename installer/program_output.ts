/**
 * What other programs print, and the kernel's tables, as far as a plan depends on them. Pure.
 *
 * @module
 */
import { isContainerBridge } from "../agent/host_dns/container_bridges.ts";
import type { ContainerBridge, PortListener } from "./facts.ts";

/** Listening sockets of some ports, from `ss -Hlntup`. */
export function parseListeners(text: string, ports: readonly number[]): PortListener[] {
  const listeners = text.split("\n").flatMap((line): PortListener[] => {
    const [protocol, , , , local = ""] = line.trim().split(/\s+/);
    const match = /^(.*):(\d+)$/.exec(local);
    if (match === null || !["udp", "tcp"].includes(protocol)) return [];
    const port = Number(match[2]);
    if (!ports.includes(port)) return [];
    const address = match[1].replace(/^\[|\]$/g, "").replace(/%.*$/, "");
    // Of several programs that hold one socket, the last: systemd keeps those that it hands on.
    const programs = [...line.matchAll(/\("([^"]*)",pid=/g)].map(([, name]) => name);
    return [{ address: address === "*" ? "::" : address, port, program: programs.at(-1) }];
  });
  const isNew = ({ address, port, program }: PortListener, index: number) =>
    listeners.findIndex((other) =>
      other.address === address && other.port === port && other.program === program
    ) === index;
  return listeners.filter(isNew);
}

/** Bridges of container engines, from `ip -j -4 address`. */
export function parseContainerBridges(text: string): ContainerBridge[] {
  let interfaces: { ifname?: string; addr_info?: { local?: string }[] }[] = [];
  try {
    interfaces = JSON.parse(text);
  } catch { /* an `ip` without JSON, or none: no bridges */ }
  return interfaces.flatMap(({ ifname = "", addr_info: [first] = [] }) =>
    isContainerBridge(ifname) && first?.local !== undefined
      ? [{ name: ifname, address: first.local }]
      : []
  );
}

/** The words of the line `hosts:` of nsswitch.conf. */
export function parseNsswitchHosts(text: string): string[] {
  const line = text.split("\n").find((line) => /^\s*hosts:/.test(line)) ?? "";
  return line.replace(/#.*/, "").trim().split(/\s+/).slice(1);
}

/** `resolvectl WHAT`: `Global: value`, `Link 2 (eth0): value`; by `Global` or the link's name. */
export function parseResolvectlLines(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^(Global|Link \d+ \((.*)\)):\s*(.*)$/.exec(line.trim());
    if (match !== null) values.set(match[2] ?? "Global", match[3]);
  }
  return values;
}

/** The section `[main]` of what `NetworkManager --print-config` prints. */
export function parseNetworkManagerMain(text: string): Map<string, string> {
  const values = new Map<string, string>();
  let section = "";
  for (const line of text.split("\n")) {
    if (/^\[/.test(line)) section = line.trim();
    const match = /^\s*([\w-]+)\s*=\s*(.*?)\s*$/.exec(line);
    if (section === "[main]" && match !== null) values.set(match[1], match[2]);
  }
  return values;
}

/** Where things are mounted, from /proc/self/mountinfo (proc(5)). */
export function parseMountPoints(text: string): string[] {
  return text.split("\n").flatMap((line) => line.split(" ")[4] ?? [])
    .map((path) =>
      path.replace(/\\([0-7]{3})/g, (_, octal) => String.fromCharCode(parseInt(octal, 8)))
    );
}

/** Whether Istio's rules (istio-iptables) redirect DNS, in the output of iptables-save or nft. */
export function redirectsDnsByIstio(text: string): boolean {
  return text.split("\n").some((line) =>
    /ISTIO_OUTPUT|ISTIO_DNS/.test(line) && /\b53\b/.test(line) && /15053/.test(line)
  ) || /chain ISTIO_OUTPUT(?:_DNS)? \{[^}]*dport 53[^}]*15053/.test(text);
}
