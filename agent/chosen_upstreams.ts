/**
 * Which upstream servers the agent asks: those of the configuration, else those of the VM itself; never
 * the agent. Pure.
 *
 * @module
 */
import type { Config } from "./config/config.ts";
import type { StatusProblem } from "./health/api.ts";
import type { HostDns } from "./host_dns/host_dns.ts";
import type { InterfaceAddress } from "./system/network.ts";
import { formatNameserver, type Nameserver, parseNameserver } from "./system/nameserver.ts";
import type { SocketAddress } from "./system/socket_address.ts";
import { findOwnAddresses, UpstreamLoopError } from "./upstream/forward_loop.ts";
import type { ServerSet } from "./upstream/upstream_servers.ts";

/** The servers, and what came with them. */
export interface ChosenUpstreams {
  /** Who is asked for what; nobody where none was found. */
  servers: ServerSet;
  /** Search domains of the VM's own set-up. */
  searchDomains: readonly string[];
  /** Why there are none. */
  problem?: StatusProblem;
}

/** What the choice depends on beside the configuration. */
export interface UpstreamFacts {
  /** The VM's own set-up. */
  host: HostDns;
  /** Where this agent listens. */
  listeners: readonly SocketAddress[];
  /** The VM's addresses. */
  interfaces: readonly InterfaceAddress[];
}

/**
 * Chooses them. Servers that are configured take the place of the VM's own as a whole; domains that are
 * configured stand above those of its links.
 *
 * @throws {UpstreamLoopError} when the configuration names this agent as a server
 */
export function chooseUpstreams({ dns }: Config, facts: UpstreamFacts): ChosenUpstreams {
  const { host } = facts;
  const { searchDomains } = host;
  const nameservers = (texts: readonly string[]) => texts.map((text) => parseNameserver(text)!);
  const configured = dns.upstreams && nameservers(dns.upstreams);
  const forward = dns.forward.map(({ domain, servers }) => ({
    domain,
    servers: nameservers(servers),
  }));
  const named = [...configured ?? [], ...forward.flatMap(({ servers }) => servers)];
  const loops = ownServers(named, facts);
  if (loops.length > 0) throw new UpstreamLoopError(loops);
  const domains = new Map(
    [...configured === undefined ? host.domains : [], ...forward].map((group) => [
      group.domain,
      { ...group, servers: withoutOwn(group.servers, facts) },
    ]),
  );
  const servers: ServerSet = {
    servers: configured ?? withoutOwn(host.servers, facts),
    domains: [...domains.values()],
  };
  if (servers.servers.length > 0) return { servers, searchDomains };
  return {
    servers,
    searchDomains,
    problem: {
      code: "NO_UPSTREAM",
      message: `No nameserver was found (${host.trace.join("; ")}): only mesh names are answered`,
      remedy: "Set dns.upstreams or --upstream to the VM's own nameservers.",
    },
  };
}

/** The set without servers that were seen to lead back to this agent. */
export function withoutLoops(set: ServerSet, loops: readonly Nameserver[]): ServerSet {
  const names = new Set(loops.map(formatNameserver));
  const kept = (servers: readonly Nameserver[]) =>
    servers.filter((server) => !names.has(formatNameserver(server)));
  return {
    servers: kept(set.servers),
    domains: set.domains.map((group) => ({ ...group, servers: kept(group.servers) })),
  };
}

function ownServers(
  servers: readonly Nameserver[],
  { listeners, interfaces }: UpstreamFacts,
) {
  return findOwnAddresses(servers.map(({ address }) => address), { listeners, interfaces });
}

function withoutOwn(servers: readonly Nameserver[], facts: UpstreamFacts): Nameserver[] {
  return servers.filter((server) => ownServers([server], facts).length === 0);
}
