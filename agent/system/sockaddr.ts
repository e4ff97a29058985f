/**
 * `struct sockaddr_in` and `sockaddr_in6` of Linux, in octets, and the addresses that they stand for. Pure.
 *
 * @module
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { SocketAddress } from "./socket_address.ts";

/** `AF_INET`. */
export const AF_INET = 2;
/** `AF_INET6`. */
export const AF_INET6 = 10;
/** Octets of a `sockaddr_in6`, the longer of the two. */
export const SOCKADDR_OCTETS = 28;
/** Octets of a `sockaddr_in`. */
const SOCKADDR_IN_OCTETS = 16;

/**
 * The structure of an address. A zone may be a number (`fe80::1%2`), or the name of an interface where
 * `interfaceIndex` is given, which tells 0 for one that is not there.
 *
 * @returns 16 or 28 octets; undefined where it is no address, or its zone is not known
 */
export function encodeSockaddr(
  { address, port }: SocketAddress,
  interfaceIndex?: (name: string) => number,
): Uint8Array<ArrayBuffer> | undefined {
  const family = isIP(address);
  if (family === 0) return undefined;
  const octets = new Uint8Array(
    new ArrayBuffer(family === 4 ? SOCKADDR_IN_OCTETS : SOCKADDR_OCTETS),
  );
  const view = new DataView(octets.buffer);
  view.setUint16(0, family === 4 ? AF_INET : AF_INET6, true);
  view.setUint16(2, port);
  if (family === 4) {
    octets.set(address.split(".").map(Number), 4);
    return octets;
  }
  const [literal, zone] = address.split("%");
  octets.set(ipaddr.parse(literal).toByteArray(), 8);
  if (zone !== undefined) {
    const index = /^\d{1,9}$/.test(zone) ? Number(zone) : interfaceIndex?.(zone) ?? 0;
    if (index === 0) return undefined;
    view.setUint32(24, index, true);
  }
  return octets;
}

/** The address in a structure, with its zone as a number; undefined where it is neither IPv4 nor IPv6. */
export function decodeSockaddr(octets: Uint8Array): SocketAddress | undefined {
  if (octets.length < SOCKADDR_IN_OCTETS) return undefined;
  const family = octets[0] | octets[1] << 8;
  const port = octets[2] << 8 | octets[3];
  if (family === AF_INET) {
    return { address: `${octets[4]}.${octets[5]}.${octets[6]}.${octets[7]}`, port };
  }
  if (family !== AF_INET6 || octets.length < SOCKADDR_OCTETS) return undefined;
  const address = new ipaddr.IPv6([...octets.subarray(8, 24)]).toRFC5952String();
  const zone = new DataView(octets.buffer, octets.byteOffset).getUint32(24, true);
  return { address: zone === 0 ? address : `${address}%${zone}`, port };
}
