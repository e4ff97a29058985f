/**
 * Which upstream servers the agent asks: those of the configuration, else those of the VM itself; never
 * the agent.
 *
 * @module
 */
import { socketAddresses } from "./agent_settings.ts";
import type { Config } from "./config/config.ts";
import type { StatusProblem } from "./health/api.ts";
import { readHostDns } from "./host_dns/host_dns.ts";
import { readResolvedLinks } from "./host_dns/resolved_links.ts";
import { parseSocketAddress, type SocketAddress } from "./system/socket_address.ts";
import type { World } from "./system/world.ts";
import { findOwnAddresses, UpstreamLoopError } from "./upstream/forward_loop.ts";

/** The servers, and what came with them. */
export interface ChosenUpstreams {
  /** The servers; empty where none was found. */
  servers: SocketAddress[];
  /** Search domains of the VM's own set-up. */
  searchDomains: string[];
  /** Why there are none. */
  problem?: StatusProblem;
}

/**
 * Chooses them.
 *
 * @throws {UpstreamLoopError} when the configuration names this agent as a server
 */
export async function chooseUpstreams(
  config: Config,
  { files, network, clock, connectLocal }: World,
): Promise<ChosenUpstreams> {
  const listeners = socketAddresses(config.dns.listen);
  const own = (servers: readonly SocketAddress[]) =>
    findOwnAddresses(servers, { listeners, interfaces: network.interfaceAddresses() });
  const resolvedLinks = () => readResolvedLinks({ clock, connectLocal });
  const host = await readHostDns({ files, exclude: listeners, resolvedLinks });
  const { searchDomains } = host;
  if (config.dns.upstreams !== undefined) {
    const servers = config.dns.upstreams.map((text) => parseSocketAddress(text, 53)!);
    const loops = own(servers);
    if (loops.length > 0) throw new UpstreamLoopError(loops);
    return { servers, searchDomains };
  }
  // A server that is to be asked over TLS is never asked without.
  const plain = host.servers.flatMap(({ address, tls }) => tls === undefined ? [address] : []);
  const loops = own(plain);
  const servers = plain.filter((server) => !loops.some((loop) => loop.server === server));
  if (servers.length > 0) return { servers, searchDomains };
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
