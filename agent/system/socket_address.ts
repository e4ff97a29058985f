/**
 * `host:port` texts and what they mean. Pure.
 *
 * @module
 */
import { isIP } from "node:net";

/** An IP address with a port. */
export interface SocketAddress {
  /** An IPv4 or IPv6 literal, without brackets. */
  address: string;
  /** 0 to 65535; 0 asks the kernel for a free one. */
  port: number;
}

/** Reads `192.0.2.1:53`, `[2001:db8::1]:53`, or, with `defaultPort`, either address alone. */
export function parseSocketAddress(text: string, defaultPort?: number): SocketAddress | undefined {
  if (isIP(text) !== 0) {
    return defaultPort === undefined ? undefined : { address: text, port: defaultPort };
  }
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  if (match === null) return undefined;
  const address = match[1] ?? match[2];
  const port = Number(match[3]);
  if (isIP(address) !== (match[1] === undefined ? 4 : 6) || port > 65535) return undefined;
  return { address, port };
}

/** The text that {@link parseSocketAddress} reads. */
export function formatSocketAddress({ address, port }: SocketAddress): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** Reads `host:port` with a DNS name or an IP literal as host. */
export function parseHostPort(text: string): { host: string; port: number } | undefined {
  const ip = parseSocketAddress(text);
  if (ip !== undefined) return { host: ip.address, port: ip.port };
  const match = /^([A-Za-z0-9_.-]+):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[2]) > 65535) return undefined;
  return { host: match[1], port: Number(match[2]) };
}

/** Whether an IP literal is one of loopback's. */
export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}
