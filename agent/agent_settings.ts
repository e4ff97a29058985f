/**
 * What the configuration means for each part: their options, made from it and from what the VM is. Pure.
 *
 * @module
 */
import { isIP } from "node:net";
import { join } from "node:path";
import type { CacheLimits } from "./cache/answer_cache.ts";
import type { Config } from "./config/config.ts";
import { parseAddress, parseRange } from "./dns/ip_address.ts";
import { isWithin, parseName } from "./dns/name.ts";
import type { ControlPlaneSettings } from "./mesh/mesh_client.ts";
import type { MeshNode } from "./mesh/node_identity.ts";
import { meshSearchDomains, type MeshView } from "./names/mesh_lookup.ts";
import type { NameSourcesOptions } from "./resolver/name_sources.ts";
import type { InheritedSocket } from "./system/inherited_sockets.ts";
import type { InterfaceAddress } from "./system/network.ts";
import { parseHostPort, parseSocketAddress, type SocketAddress } from "./system/socket_address.ts";

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

/**
 * Where DNS is served: as configured, and on every socket that was handed over. Who set it up wants it
 * served, and queries to a socket that nobody reads would wait in vain.
 */
export function listenAddresses(
  { dns }: Config,
  inherited: readonly InheritedSocket[],
): SocketAddress[] {
  return [...socketAddresses(dns.listen), ...inherited.map(({ local }) => local)];
}

/** How names are merged. */
export function namesOptions(config: Config): NameSourcesOptions {
  return {
    clusterDomain: config.dns.clusterDomain,
    exclude: config.names.exclude,
    vipRanges: config.dns.vipRanges.map((range) => parseRange(range)!),
    expectsPush: config.controlPlane !== undefined,
  };
}

/** How answers of upstream servers are kept. */
export function cacheLimits({ cache }: Config): CacheLimits {
  return {
    maxBytes: cache.maxBytes,
    minTtlSeconds: cache.minTtl / 1000,
    maxTtlSeconds: cache.maxTtl / 1000,
    staleSeconds: cache.serveStale / 1000,
    prefetch: cache.prefetch,
  };
}

/** Whether private addresses in a nameserver's answer about this name are given to clients. */
export function mayBePrivate({ dns }: Config, name: string): boolean {
  return !dns.rebindProtection || dns.rebindExempt.some((domain) => isWithin(name, domain));
}

/** Where the control socket is. */
export function controlSocketPath({ control, stateDir }: Config): string {
  return control.socket ?? join(stateDir, "control.sock");
}

/** How this node sees the mesh. */
export function meshView(config: Config, host: HostFacts): MeshView {
  const { node, dns } = config;
  const own = meshSearchDomains({ namespace: node.namespace, clusterDomain: dns.clusterDomain });
  const searchDomains = (dns.searchDomains ?? [...own, ...host.searchDomains])
    .map((domain) => parseName(domain))
    .filter((domain) => domain !== undefined && domain !== "");
  return {
    clusterDomain: dns.clusterDomain,
    namespace: node.namespace,
    searchDomains: [...new Set(searchDomains as string[])],
    serveAutoAllocated: servesAutoAllocated(config, host),
  };
}

/** The node's addresses: configured, or all of the VM's that others can reach. */
export function nodeAddresses(
  { node }: Config,
  interfaces: readonly InterfaceAddress[],
): string[] {
  const all = node.addresses ?? interfaces
    .filter(({ address, internal }) => !internal && !isLinkLocal(address))
    .map(({ address }) => address);
  return [...new Set(node.address === undefined ? all : [node.address, ...all])];
}

/** Who this node is, for the control plane. */
export function meshNode(
  config: Config,
  host: HostFacts,
  interfaces: readonly InterfaceAddress[],
): MeshNode {
  return {
    ...config.node,
    clusterDomain: config.dns.clusterDomain,
    addresses: nodeAddresses(config, interfaces),
    wantsAutoAllocated: servesAutoAllocated(config, host),
  };
}

function servesAutoAllocated({ dns }: Config, host: HostFacts): boolean {
  return dns.autoAllocated === "serve" || dns.autoAllocated === "auto" && host.interception;
}

/** Where the control plane is, for its client; undefined where none is configured. */
export function controlPlaneSettings(
  { controlPlane }: Config,
): ControlPlaneSettings | undefined {
  if (controlPlane === undefined) return undefined;
  const { addresses, serverName, rootCert, token, hosts, caAddress, certificateLife } =
    controlPlane;
  return {
    addresses,
    serverName,
    ...(caAddress !== undefined && {
      certificateService: { address: caAddress, serverName: nameIn(caAddress) ?? serverName },
    }),
    rootCertPath: rootCert,
    tokenPath: token,
    ...(hosts !== undefined && { hostsPath: hosts }),
    certificateLifeMs: certificateLife,
  };
}

/** The host of `host:port`; undefined where it is an IP address. */
function nameIn(address: string): string | undefined {
  const { host } = parseHostPort(address)!;
  return isIP(host) === 0 ? host : undefined;
}

function isLinkLocal(address: string): boolean {
  const octets = parseAddress(address);
  if (octets === undefined) return true;
  return octets.length === 4
    ? octets[0] === 169 && octets[1] === 254
    : octets[0] === 0xfe && (octets[1] & 0xc0) === 0x80;
}
