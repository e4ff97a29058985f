/**
 * What is known of a VM before anything is changed: plain data, so that a plan is a function of it. How
 * things were before outrigger: what it put there itself is seen through.
 *
 * @module
 */
import type { HostDns } from "../agent/host_dns/host_dns.ts";
import type { ResolvConf } from "../agent/host_dns/resolv_conf.ts";
import type { Layout } from "../systemd/layout.ts";

/** The facts. */
export interface VmFacts {
  /** Whether this runs as root. */
  isRoot: boolean;
  /** Version of the systemd that is process 1; undefined where that is something else. */
  systemdVersion: number | undefined;
  /** Whether /etc cannot be written at all. */
  etcReadOnly: boolean;
  /** Where outrigger's files belong here: where a package has brought them, in the package's places. */
  layout: Layout;
  /** The file that every set-up ends in. */
  resolvConf: ResolvConfFacts;
  /** The words of the line `hosts:` of nsswitch.conf, e.g. `files`, `dns`. */
  nsswitchHosts: string[];
  /** systemd-resolved; undefined where it does not run. */
  resolved: ResolvedFacts | undefined;
  /** NetworkManager; undefined where it does not run. */
  networkManager: NetworkManagerFacts | undefined;
  /** Which program is called resolvconf. */
  resolvconf: "resolvconf" | "openresolv" | undefined;
  /** What else may write resolv.conf, e.g. `dhclient`, `dhcpcd`, `cloud-init`, `systemd-networkd`. */
  otherWriters: string[];
  /** Whether this is WSL. */
  isWsl: boolean;
  /** Who listens on port 53 and on the agent's own port. */
  listeners: PortListener[];
  /** Version of nft, e.g. `1.0.6`; undefined where it is not there. */
  nftVersion: string | undefined;
  /** Whether Istio's rules redirect DNS on this VM. */
  istioRedirectsDns: boolean;
  /** Firewalls that run: `firewalld`, `ufw`. */
  firewalls: string[];
  /** Container engines that are there, also before they run, and hypervisors that run: `Docker`, `libvirt`. */
  engines: string[];
  /** Bridges of container engines, with an IPv4 address each. */
  containerBridges: readonly ContainerBridge[];
  /** The nameservers and search domains in use. */
  dns: Pick<HostDns, "servers" | "domains" | "searchDomains">;
}

/** Facts of /etc/resolv.conf. */
export interface ResolvConfFacts {
  /** What it is. */
  type: "file" | "link" | "missing" | "other";
  /** Where the link leads, as an absolute path. */
  target: string | undefined;
  /** Whether the link leads nowhere. */
  isDangling: boolean;
  /** Whether it is a mount of its own, and cannot be replaced. */
  isMount: boolean;
  /** Whether it cannot be written, since its file system is read-only. */
  isReadOnly: boolean;
  /** Whether it has the attribute that forbids all change (`chattr +i`). */
  isImmutable: boolean;
  /** What it says. */
  content: ResolvConf;
  /** Its text; empty where there is none. */
  text: string;
}

/** Facts of systemd-resolved. */
export interface ResolvedFacts {
  /** Whether it listens on 127.0.0.53 (`DNSStubListener=`). */
  hasStub: boolean;
  /** `DNSSEC=`. */
  dnssec: "yes" | "allow-downgrade" | "no";
  /** `DNSOverTLS=`. */
  dnsOverTls: "yes" | "opportunistic" | "no";
  /** Links that draw all names as well (`~.`), e.g. `wg0`. */
  linksForAllNames: string[];
}

/** Facts of NetworkManager. */
export interface NetworkManagerFacts {
  /** `dns=` of its section `[main]`: `default` unless given. */
  dns: string;
  /** `rc-manager=`: `auto` unless given. */
  rcManager: string;
}

/** A bridge with containers behind it. */
export interface ContainerBridge {
  /** Its name, e.g. `docker0`. */
  name: string;
  /** This machine's address on it. */
  address: string;
}

/** A listening socket. */
export interface PortListener {
  /** An IP literal, `0.0.0.0` or `::`. */
  address: string;
  /** Its port. */
  port: number;
  /** The program, where it is known. */
  program: string | undefined;
}

/** Programs whose listeners are ours: systemd holds the agent's sockets. */
const OWN_PROGRAMS = ["outrigger", "systemd"];

/** Another program that has a port of an address, or of all of them; undefined where it is free or ours. */
export function otherListener(
  facts: Pick<VmFacts, "listeners">,
  { address, port }: { address: string; port: number },
): PortListener | undefined {
  return facts.listeners.find((listener) =>
    listener.port === port &&
    [address, "0.0.0.0", "::"].includes(listener.address) &&
    !OWN_PROGRAMS.includes(listener.program ?? "")
  );
}
