/**
 * The numbers of DNS and their names: record types, classes, response codes, opcodes, extended errors
 * (IANA "Domain Name System (DNS) Parameters").
 *
 * @module
 */

/** Record types that the agent treats specially; any other number passes through untouched. */
export const RecordType = {
  A: 1,
  NS: 2,
  CNAME: 5,
  SOA: 6,
  PTR: 12,
  HINFO: 13,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
  NAPTR: 35,
  DNAME: 39,
  OPT: 41,
  DS: 43,
  RRSIG: 46,
  NSEC: 47,
  DNSKEY: 48,
  NSEC3: 50,
  SVCB: 64,
  HTTPS: 65,
  IXFR: 251,
  AXFR: 252,
  ANY: 255,
  CAA: 257,
} as const;

/** Record classes. */
export const RecordClass = { IN: 1, CH: 3, HS: 4, NONE: 254, ANY: 255 } as const;

/** Response codes, the extended ones of EDNS included. */
export const Rcode = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
  BADCOOKIE: 23,
} as const;

/** Opcodes. */
export const Opcode = { QUERY: 0 } as const;

/** Options of OPT that the agent speaks. */
export const EdnsOption = { COOKIE: 10, PADDING: 12 } as const;

/** Extended DNS errors (RFC 8914). */
export const ExtendedErrorCode = {
  OTHER: 0,
  STALE_ANSWER: 3,
  CACHED_ERROR: 13,
  NOT_READY: 14,
  BLOCKED: 15,
  PROHIBITED: 18,
  STALE_NXDOMAIN_ANSWER: 19,
  NO_REACHABLE_AUTHORITY: 22,
  NETWORK_ERROR: 23,
  INVALID_DATA: 24,
} as const;

const TYPE_NAMES = namesByNumber(RecordType);
const RCODE_NAMES = namesByNumber(Rcode);

/** The name of a type: `AAAA`, or `TYPE65280` where it has none here (RFC 3597 section 5). */
export function formatType(type: number): string {
  return TYPE_NAMES.get(type) ?? `TYPE${type}`;
}

/** The type that a text names (`aaaa`, `TYPE28`), or undefined. */
export function parseType(text: string): number | undefined {
  const upper = text.toUpperCase();
  if (Object.hasOwn(RecordType, upper)) return RecordType[upper as keyof typeof RecordType];
  const match = /^TYPE(\d{1,5})$/.exec(upper);
  return match !== null && Number(match[1]) <= 65535 ? Number(match[1]) : undefined;
}

/** The name of a response code: `NXDOMAIN`, or `RCODE11`. */
export function formatRcode(rcode: number): string {
  return RCODE_NAMES.get(rcode) ?? `RCODE${rcode}`;
}

function namesByNumber(codes: Record<string, number>): Map<number, string> {
  return new Map(Object.entries(codes).map(([name, number]) => [number, name]));
}
