/**
 * Failures of the listeners.
 *
 * @module
 */
import { AgentError, messageOf } from "../system/agent_error.ts";
import { formatSocketAddress, type SocketAddress } from "../system/socket_address.ts";

/** A DNS listener that could not be opened. */
export class ListenError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param address what could not be bound
   */
  constructor(address: SocketAddress, transport: "udp" | "tcp", cause: unknown) {
    const text = formatSocketAddress(address);
    super(
      "DNS_LISTEN_FAILED",
      `Listen on ${transport} ${text} for DNS: ${messageOf(cause)}. ${advice(address, cause)}`,
      { cause },
    );
  }
}

function advice({ port }: SocketAddress, cause: unknown): string {
  switch ((cause as { code?: string } | undefined)?.code) {
    case "EADDRINUSE":
      return `Another program has the port (see: ss -lntup 'sport = :${port}'); ` +
        "stop it, or choose another one with dns.listen or --dns-listen.";
    case "EACCES":
      return "Ports below 1024 need the capability CAP_NET_BIND_SERVICE; " +
        "choose another one with dns.listen or --dns-listen.";
    case "EADDRNOTAVAIL":
      return "No interface of this machine has the address; choose one with dns.listen.";
    default:
      return "Choose another address with dns.listen or --dns-listen.";
  }
}

/** The fast path cannot run, and the configuration insists on it. */
export class FastPathError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param cause why not
   */
  constructor(cause: unknown) {
    super(
      "FAST_PATH_UNAVAILABLE",
      `The fast path cannot run here: ${messageOf(cause)}. Set dns.fastPath to auto or off`,
      { cause },
    );
  }
}
