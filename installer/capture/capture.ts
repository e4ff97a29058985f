/**
 * What the ways to send a VM's lookups to the agent have in common. Each is a module of this folder: whether
 * it fits a VM, and the steps that put it in place. What takes it away again are the steps' inverses.
 *
 * @module
 */
import type { SocketAddress } from "../../agent/system/socket_address.ts";
import type { VmFacts } from "../facts.ts";
import type { Step } from "../steps.ts";

/** Names of the ways, in the order in which they are tried. */
export const CAPTURE_NAMES = [
  "resolved",
  "networkmanager",
  "resolvconf",
  "resolv-conf",
  "nftables",
] as const;

/** A way to send lookups to the agent. */
export type CaptureName = typeof CAPTURE_NAMES[number];

/** Those that put the agent's address, which is on loopback, into resolv.conf. */
export const IN_RESOLV_CONF: readonly CaptureName[] = [
  "networkmanager",
  "resolvconf",
  "resolv-conf",
];

/** What a capture depends on beside the facts. */
export interface CaptureSettings {
  /** Where the agent serves DNS. */
  dns: SocketAddress;
  /** Where it serves on port 53 too, for what can only name an address. */
  port53: string;
  /** The mesh's search domains, most specific first. */
  meshSearchDomains: readonly string[];
  /** The domain of the cluster. */
  clusterDomain: string;
  /** The agent's user, whose queries are let through. */
  user: string;
  /** Whether nftables takes all queries, not only those to the nameservers in use. */
  allNameservers: boolean;
  /** Whether containers are captured too. */
  containers: boolean;
}

/** One way. */
export interface Capture {
  /** Its name. */
  name: CaptureName;
  /** Whether it needs the agent on port 53. */
  needsPort53(facts: VmFacts): boolean;
  /** Whether it would work, and the fact that says so. */
  fits(facts: VmFacts, settings: CaptureSettings): { fits: boolean; because: string };
  /** What puts it in place. */
  steps(facts: VmFacts, settings: CaptureSettings): Step[];
}

/** The first line of every file that a capture writes. */
export const OWN_COMMENT =
  "# By outrigger, for as long as it serves this machine's lookups: `outrigger capture down` undoes it.";

/** The mesh's search domains, then the VM's own. */
export function searchDomains(
  { dns }: Pick<VmFacts, "dns">,
  { meshSearchDomains }: Pick<CaptureSettings, "meshSearchDomains">,
): string[] {
  return [...new Set([...meshSearchDomains, ...dns.searchDomains])];
}
