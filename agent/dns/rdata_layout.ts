/**
 * Where names stand inside RDATA. A name there may be compressed by a server, and then its octets mean
 * nothing outside their message: RDATA is unpacked when it comes in, by the list of types that RFC 3597
 * section 4 gives. RDATA of all other types is opaque.
 *
 * @module
 */
import { RecordType } from "./codes.ts";
import { copyName, decodeName } from "./name.ts";

/** How the RDATA of a type is built: fixed octets, then character strings, then names, then the end. */
interface RdataLayout {
  fixedOctets: number;
  strings: number;
  names: number;
  /** How many octets follow. */
  endOctets: number | "any";
  /** Whether a sender may compress the names: only in the types of RFC 1035. */
  compressible: boolean;
}

const layout = (names: number, rest: Partial<RdataLayout> = {}): RdataLayout => ({
  fixedOctets: 0,
  strings: 0,
  names,
  endOctets: 0,
  compressible: false,
  ...rest,
});

const LAYOUTS = new Map<number, RdataLayout>([
  [RecordType.NS, layout(1, { compressible: true })],
  [RecordType.CNAME, layout(1, { compressible: true })],
  [RecordType.SOA, layout(2, { compressible: true, endOctets: 20 })],
  [7, /* MB */ layout(1, { compressible: true })],
  [8, /* MG */ layout(1, { compressible: true })],
  [9, /* MR */ layout(1, { compressible: true })],
  [RecordType.PTR, layout(1, { compressible: true })],
  [14, /* MINFO */ layout(2, { compressible: true })],
  [RecordType.MX, layout(1, { fixedOctets: 2, compressible: true })],
  [17, /* RP */ layout(2)],
  [18, /* AFSDB */ layout(1, { fixedOctets: 2 })],
  [21, /* RT */ layout(1, { fixedOctets: 2 })],
  [24, /* SIG */ layout(1, { fixedOctets: 18, endOctets: "any" })],
  [26, /* PX */ layout(2, { fixedOctets: 2 })],
  [30, /* NXT */ layout(1, { endOctets: "any" })],
  [RecordType.SRV, layout(1, { fixedOctets: 6 })],
  [RecordType.NAPTR, layout(1, { fixedOctets: 4, strings: 3 })],
  [36, /* KX */ layout(1, { fixedOctets: 2 })],
  [RecordType.DNAME, layout(1)],
]);

/**
 * The RDATA at `[start, end)` of a message with its names unpacked, in their own letter case.
 *
 * @returns undefined when it does not fit its type
 */
export function unpackRdata(
  message: Uint8Array,
  { type, start, end }: { type: number; start: number; end: number },
): Uint8Array | undefined {
  if (type === RecordType.A && end - start !== 4) return undefined;
  if (type === RecordType.AAAA && end - start !== 16) return undefined;
  const form = LAYOUTS.get(type);
  if (form === undefined) return message.slice(start, end);
  let offset = start + form.fixedOctets;
  for (let i = 0; i < form.strings; i++) {
    if (offset >= end) return undefined;
    offset += 1 + message[offset];
  }
  if (offset > end) return undefined;
  const parts = [message.subarray(start, offset)];
  for (let i = 0; i < form.names; i++) {
    const decoded = decodeName(message, offset);
    if (decoded === undefined || decoded.end > end) return undefined;
    parts.push(copyName(message, offset));
    offset = decoded.end;
  }
  if (form.endOctets !== "any" && end - offset !== form.endOctets) return undefined;
  parts.push(message.subarray(offset, end));
  return concatenate(parts);
}

/** Where compressible names stand in unpacked RDATA, so that an encoder may shorten them. */
export function compressibleNames(
  type: number,
): { fixedOctets: number; names: number } | undefined {
  const form = LAYOUTS.get(type);
  return form?.compressible ? form : undefined;
}

function concatenate(parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
