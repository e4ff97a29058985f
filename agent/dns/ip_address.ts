/**
 * IP addresses and ranges: text, octets (4 or 16) and the names of their reverse zones.
 *
 * @module
 */
import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** A range of addresses in CIDR notation, e.g. 240.240.0.0/16. */
export interface AddressRange {
  /** First octets of the range; 4 or 16. */
  network: Uint8Array;
  /** Number of leading bits that count. */
  prefixBits: number;
}

/**
 * The octets of an IPv4 or IPv6 literal; undefined for anything else, zone indices and the many
 * spellings of inet_aton included. An IPv4-mapped IPv6 address is the IPv4 address.
 */
export function parseAddress(text: string): Uint8Array | undefined {
  const address = parseIpv4(text);
  if (address !== undefined) return address;
  if (isIP(text) !== 6 || text.includes("%")) return undefined;
  return Uint8Array.from(ipaddr.process(text).toByteArray());
}

/** Four decimal numbers without leading zeros: of 100,000 addresses each counts (20 ms a push). */
function parseIpv4(text: string): Uint8Array | undefined {
  if (text.length > 15) return undefined;
  const address = new Uint8Array(4);
  let octets = 0;
  let value = -1;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 0x30;
    if (digit === -2 && value >= 0 && octets < 3) {
      address[octets++] = value;
      value = -1;
    } else if (digit >= 0 && digit <= 9 && value !== 0) {
      value = value < 0 ? digit : value * 10 + digit;
      if (value > 255) return undefined;
    } else {
      return undefined;
    }
  }
  if (octets !== 3 || value < 0) return undefined;
  address[3] = value;
  return address;
}

/** The usual text of 4 or 16 octets (RFC 5952 for IPv6). */
export function formatAddress(address: Uint8Array): string {
  if (address.length === 4) return address.join(".");
  const parsed = ipaddr.fromByteArray([...address]);
  return parsed.kind() === "ipv6" ? (parsed as ipaddr.IPv6).toRFC5952String() : parsed.toString();
}

/** The usual text of a literal in any spelling; undefined where {@link parseAddress} is. */
export function canonicalAddress(text: string): string | undefined {
  const address = parseAddress(text);
  return address && formatAddress(address);
}

/**
 * Like {@link canonicalAddress}, and without a zone index (`fe80::1%eth0` is `fe80::1`): the runtime
 * tells the source of a datagram without its zone, so that only the address can be compared.
 */
export function addressWithoutZone(text: string): string | undefined {
  const zone = text.indexOf("%");
  if (zone === -1) return canonicalAddress(text);
  const address = canonicalAddress(text.slice(0, zone));
  // Only link-local addresses have zones.
  return zone < text.length - 1 && address?.startsWith("fe") ? address : undefined;
}

/** Reads `192.0.2.0/24` or `2001:db8::/32`. */
export function parseRange(text: string): AddressRange | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const network = match === null ? undefined : parseAddress(match[1]);
  if (match === null || network === undefined) return undefined;
  const prefixBits = Number(match[2]);
  return prefixBits <= network.length * 8 ? { network, prefixBits } : undefined;
}

/** Whether an address lies in a range; never, when their families differ. */
export function isInRange(address: Uint8Array, { network, prefixBits }: AddressRange): boolean {
  if (address.length !== network.length) return false;
  for (let bit = 0; bit < prefixBits; bit += 8) {
    const mask = prefixBits - bit >= 8 ? 0xff : 0xff << 8 - (prefixBits - bit) & 0xff;
    if ((address[bit >> 3] & mask) !== (network[bit >> 3] & mask)) return false;
  }
  return true;
}

/** The name that a PTR question for the address asks (RFC 1035 section 3.5, RFC 3596 section 2.5). */
export function reverseName(address: Uint8Array): string {
  if (address.length === 4) return `${[...address].reverse().join(".")}.in-addr.arpa`;
  const nibbles = [...address].flatMap((octet) => [octet >> 4, octet & 0xf]);
  return `${nibbles.reverse().map((nibble) => nibble.toString(16)).join(".")}.ip6.arpa`;
}

/** The address that a canonical reverse name stands for; undefined for any other name. */
export function parseReverseName(name: string): Uint8Array | undefined {
  const labels = name.split(".");
  if (name.endsWith(".in-addr.arpa") && labels.length === 6) {
    const octets = labels.slice(0, 4).reverse();
    const valid = octets.every((octet) => /^(0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
    return valid ? Uint8Array.from(octets, Number) : undefined;
  }
  if (name.endsWith(".ip6.arpa") && labels.length === 34) {
    const nibbles = labels.slice(0, 32).reverse();
    if (!nibbles.every((nibble) => /^[0-9a-f]$/.test(nibble))) return undefined;
    return Uint8Array.from(
      { length: 16 },
      (_, i) => parseInt(nibbles[2 * i] + nibbles[2 * i + 1], 16),
    );
  }
  return undefined;
}
