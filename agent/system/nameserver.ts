/**
 * One upstream nameserver and the text that names it, the same in configuration, status and log:
 * `192.0.2.53`, `[2001:db8::53]:5353`, `tls://192.0.2.53#dns.example.org`. Pure.
 *
 * @module
 */
import { formatSocketAddress, parseSocketAddress, type SocketAddress } from "./socket_address.ts";

/** Where a nameserver is, and how it is spoken to. */
export interface Nameserver {
  /** Its address. */
  address: SocketAddress;
  /** DNS over TLS (RFC 7858); plain UDP and TCP unless given. */
  tls?: NameserverTls;
}

/** What a nameserver that is spoken to over TLS has to prove. */
export interface NameserverTls {
  /** The name in its certificate; the address itself unless given. */
  serverName?: string;
}

const DNS_PORT = 53;
/** RFC 7858 section 3.1. */
const DNS_OVER_TLS_PORT = 853;
const TLS_PREFIX = "tls://";
/** A host name as certificates have it. */
const SERVER_NAME =
  /^(?=.{1,253}$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*$/;

/** Reads the text of a nameserver; undefined where it is none. */
export function parseNameserver(text: string): Nameserver | undefined {
  if (!text.startsWith(TLS_PREFIX)) {
    const address = parseSocketAddress(text, DNS_PORT);
    return address && { address };
  }
  const [place, serverName, ...rest] = text.slice(TLS_PREFIX.length).split("#");
  const address = parseSocketAddress(place, DNS_OVER_TLS_PORT);
  if (address === undefined || rest.length > 0) return undefined;
  if (serverName === undefined) return { address, tls: {} };
  return SERVER_NAME.test(serverName) ? { address, tls: { serverName } } : undefined;
}

/** The text that {@link parseNameserver} reads, always with its port; the key of a nameserver. */
export function formatNameserver({ address, tls }: Nameserver): string {
  const place = formatSocketAddress(address);
  if (tls === undefined) return place;
  return TLS_PREFIX + place + (tls.serverName === undefined ? "" : `#${tls.serverName}`);
}
