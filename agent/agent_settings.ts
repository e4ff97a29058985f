/**
 * What the configuration means for each part: their options, made from it and from what the VM is. Pure.
 *
 * @module
 */
import type { Config } from "./config/config.ts";
import { parseAddress, parseRange } from "./dns/ip_address.ts";
import { parseName } from "./dns/name.ts";
import type { MeshClientOptions } from "./mesh/mesh_client.ts";
import { meshSearchDomains, type MeshView } from "./names/mesh_lookup.ts";
import type { NameSourcesOptions } from "./resolver/name_sources.ts";
import type { InterfaceAddress } from "./system/network.ts";
import { parseSocketAddress, type SocketAddress } from "./system/socket_address.ts";

/** What the view of the mesh depends on beside the configuration. */
export interface HostFacts {
  /** Search domains of the VM's own resolver set-up. */
  searchDomains: readonly string[];
  /** Whether an Envoy intercepts the VM's traffic. */
  interception: boolean;
}

/** Checked `ip:port` texts as addresses. */
export function socketAddresses(texts: readonly string[]): SocketAddress[] {
  return texts.map((text) => parseSocketAddress(text)!);
}

/** How names are merged. */
export function namesOptions(config: Config): NameSourcesOptions {
  return {
    clusterDomain: config.dns.clusterDomain,
    exclude: config.names.exclude,
    expectsPush: config.controlPlane !== undefined,
  };
}

/** How this node sees the mesh. */
export function meshView({ node, dns }: Config, host: HostFacts): MeshView {
  const own = meshSearchDomains({ namespace: node.namespace, clusterDomain: dns.clusterDomain });
  const searchDomains = (dns.searchDomains ?? [...own, ...host.searchDomains])
    .map((domain) => parseName(domain))
    .filter((domain) => domain !== undefined && domain !== "");
  return {
    clusterDomain: dns.clusterDomain,
    namespace: node.namespace,
    searchDomains: [...new Set(searchDomains as string[])],
    vipRanges: dns.vipRanges.map((range) => parseRange(range)!),
    serveAutoAllocated: dns.autoAllocated === "serve" ||
      dns.autoAllocated === "auto" && host.interception,
  };
}

/** The node's addresses: configured, or all of the VM's that others can reach. */
export function nodeAddresses(
  { node }: Config,
  interfaces: readonly InterfaceAddress[],
): string[] {
  return node.addresses ?? interfaces
    .filter(({ address, internal }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address);
}

/** Who and where, for the client of the control plane; undefined where none is configured. */
export function meshClientSettings(
  config: Config,
  interfaces: readonly InterfaceAddress[],
): Pick<MeshClientOptions, "node" | "controlPlane" | "stateDir"> | undefined {
  const { controlPlane, node, dns, stateDir } = config;
  if (controlPlane === undefined) return undefined;
  return {
    node: {
      ...node,
      clusterDomain: dns.clusterDomain,
      addresses: nodeAddresses(config, interfaces),
    },
    controlPlane: {
      addresses: controlPlane.addresses,
      serverName: controlPlane.serverName,
      rootCertPath: controlPlane.rootCert,
      tokenPath: controlPlane.token,
      ...(controlPlane.hosts !== undefined && { hostsPath: controlPlane.hosts }),
    },
    stateDir,
  };
}

function isLinkLocal(address: string): boolean {
  const octets = parseAddress(address);
  if (octets === undefined) return true;
  return octets.length === 4
    ? octets[0] === 169 && octets[1] === 254
    : octets[0] === 0xfe && (octets[1] & 0xc0) === 0x80;
}
