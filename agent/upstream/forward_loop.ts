/**
 * Upstream servers that are this agent itself: to forward there would ask ourselves for ever. Pure.
 *
 * @module
 */
import { isIP } from "node:net";
import { addressWithoutZone } from "../dns/ip_address.ts";
import { AgentError } from "../system/agent_error.ts";
import type { InterfaceAddress } from "../system/network.ts";
import { formatSocketAddress, type SocketAddress } from "../system/socket_address.ts";

/** An upstream server that leads back here. */
export interface OwnServer {
  /** The server. */
  server: SocketAddress;
  /** The listener that it is. */
  listener: SocketAddress;
}

/** Upstream servers that this agent listens on. */
export class UpstreamLoopError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param own at least one
   */
  constructor(own: OwnServer[]) {
    const servers = own.map(({ server, listener }) =>
      `"${formatSocketAddress(server)}" is this agent's own listener ${
        formatSocketAddress(listener)
      }`
    );
    super(
      "UPSTREAM_LOOP",
      `Refuse to forward in a loop: ${servers.join(", ")}. ` +
        "Set dns.upstreams or --upstream to the nameservers that the VM used before.",
    );
  }
}

/**
 * Finds the servers among `servers` that one of `listeners` would receive the queries of, listeners on
 * all addresses (`0.0.0.0`, `::`) included.
 */
export function findOwnAddresses(
  servers: readonly SocketAddress[],
  { listeners, interfaces }: {
    listeners: readonly SocketAddress[];
    interfaces: readonly InterfaceAddress[];
  },
): OwnServer[] {
  const local = new Set(interfaces.map(({ address }) => addressWithoutZone(address)));
  return servers.flatMap((server) => {
    const address = addressWithoutZone(server.address)!;
    const listener = listeners.find((listener) => {
      if (listener.port !== server.port) return false;
      if (addressWithoutZone(listener.address) === address) return true;
      const all = listener.address === "0.0.0.0" || listener.address === "::";
      const isLoopback = address.startsWith("127.") || address === "::1";
      return all && isIP(listener.address) === isIP(address) && (isLoopback || local.has(address));
    });
    return listener === undefined ? [] : [{ server, listener }];
  });
}
