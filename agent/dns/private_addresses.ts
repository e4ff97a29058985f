/**
 * Private addresses in answers of public names: what DNS rebinding lives on. A page of an outside server
 * has its own name lead into the network of whoever looks at it, and its scripts talk there. Pure.
 *
 * @module
 */
import type { Answer } from "./answer.ts";
import { ExtendedErrorCode, RecordType } from "./codes.ts";
import { isInRange, parseRange } from "./ip_address.ts";
import type { ResourceRecord } from "./record.ts";

/**
 * Ranges that nobody on the internet can mean: this host, loopback, link-local, private (RFC 1918,
 * RFC 4193) and shared (RFC 6598).
 */
const PRIVATE_RANGES = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.168.0.0/16",
  "::/127",
  "fc00::/7",
  "fe80::/10",
].map((text) => parseRange(text)!);

/** Whether an address of 4 or 16 octets is private; IPv4 within IPv6 counts as what it is. */
export function isPrivateAddress(address: Uint8Array): boolean {
  const plain = isIpv4Mapped(address) ? address.subarray(12) : address;
  return PRIVATE_RANGES.some((range) => isInRange(plain, range));
}

/** The answer without its A and AAAA records of private addresses; the same object where it has none. */
export function withoutPrivateAddresses(answer: Answer): Answer {
  const answers = answer.answers.filter((record) => !leadsInside(record));
  if (answers.length === answer.answers.length) return answer;
  return {
    ...answer,
    authenticated: false,
    answers,
    extendedError: {
      code: ExtendedErrorCode.BLOCKED,
      text: "private addresses of a public name (dns.rebindProtection)",
    },
  };
}

function leadsInside({ type, rdata }: ResourceRecord): boolean {
  return (type === RecordType.A && rdata.length === 4 ||
    type === RecordType.AAAA && rdata.length === 16) && isPrivateAddress(rdata);
}

/** `::ffff:192.0.2.1`: ten octets of zeros, then two of ones (RFC 4291 section 2.5.5.2). */
function isIpv4Mapped(address: Uint8Array): boolean {
  return address.length === 16 && address.subarray(0, 10).every((octet) => octet === 0) &&
    address[10] === 0xff && address[11] === 0xff;
}
