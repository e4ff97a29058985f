/**
 * Reads messages into texts that can be compared octet for octet, without any code of the product: names
 * keep their letter case and odd octets, RDATA of every type is kept whole.
 *
 * @module
 */

/** A message, as far as it is compared. */
export interface WireMessage {
  /** Message id. */
  id: number;
  /** With the upper bits of OPT. */
  rcode: number;
  /** The flags that are set, of `QR AA TC RD RA AD CD`. */
  flags: string[];
  /** `name type class`, its letter case kept. */
  question: string | undefined;
  /** Answer, authority and additional section, OPT left out. */
  sections: [WireRecord[], WireRecord[], WireRecord[]];
  /** What OPT says; undefined where there is none. */
  edns: { version: number; dnssecOk: boolean } | undefined;
  /** Its length. */
  octets: number;
}

/** A record. */
export interface WireRecord {
  /** Owner, its letter case kept, with a dot at its end. */
  owner: string;
  /** Number of its type. */
  type: number;
  /** Seconds. */
  ttl: number;
  /** Names as texts, all other octets in hexadecimal. */
  data: string;
}

/** Flags of a header, the highest bit first. */
const FLAGS: readonly [string, number][] = [
  ["QR", 0x8000],
  ["AA", 0x0400],
  ["TC", 0x0200],
  ["RD", 0x0100],
  ["RA", 0x0080],
  ["AD", 0x0020],
  ["CD", 0x0010],
];

/** Octets, then character strings, then names, of the types whose RDATA has names (RFC 3597 section 4). */
const NAMES_IN_RDATA: Readonly<Record<number, [octets: number, strings: number, names: number]>> = {
  2: [0, 0, 1],
  5: [0, 0, 1],
  6: [0, 0, 2],
  12: [0, 0, 1],
  14: [0, 0, 2],
  15: [2, 0, 1],
  17: [0, 0, 2],
  18: [2, 0, 1],
  21: [2, 0, 1],
  26: [2, 0, 2],
  33: [6, 0, 1],
  35: [4, 3, 1],
  36: [2, 0, 1],
  39: [0, 0, 1],
};

/** Reads one. @throws where it is malformed: no server may send that */
export function readWire(bytes: Uint8Array): WireMessage {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint16(2);
  const message: WireMessage = {
    id: view.getUint16(0),
    rcode: flags & 0xf,
    flags: FLAGS.filter(([, bit]) => (flags & bit) !== 0).map(([name]) => name),
    question: undefined,
    sections: [[], [], []],
    edns: undefined,
    octets: bytes.length,
  };
  let offset = 12;
  for (let i = 0; i < view.getUint16(4); i++) {
    const { name, end } = readName(bytes, offset);
    message.question = `${name} ${view.getUint16(end)} ${view.getUint16(end + 2)}`;
    offset = end + 4;
  }
  for (let section = 0; section < 3; section++) {
    for (let i = 0; i < view.getUint16(6 + 2 * section); i++) {
      const { name: owner, end } = readName(bytes, offset);
      const type = view.getUint16(end);
      const ttl = view.getUint32(end + 4);
      offset = end + 10 + view.getUint16(end + 8);
      if (offset > bytes.length) throw new Error("a record is longer than its message");
      if (type === 41) {
        message.rcode |= ttl >>> 24 << 4;
        message.edns = { version: ttl >>> 16 & 0xff, dnssecOk: (ttl & 0x8000) !== 0 };
      } else {
        const data = readRdata(bytes, { type, start: end + 10, end: offset });
        message.sections[section].push({ owner, type, ttl, data });
      }
    }
  }
  if (offset !== bytes.length) throw new Error(`${bytes.length - offset} octets after the end`);
  return message;
}

function readRdata(
  bytes: Uint8Array,
  { type, start, end }: { type: number; start: number; end: number },
): string {
  const [octets, strings, names] = NAMES_IN_RDATA[type] ?? [0, 0, 0];
  let offset = start + octets;
  for (let i = 0; i < strings; i++) offset += 1 + bytes[offset];
  const parts = [hexadecimal(bytes.subarray(start, offset))];
  for (let i = 0; i < names; i++) {
    const read = readName(bytes, offset);
    parts.push(read.name);
    offset = read.end;
  }
  if (offset > end) throw new Error(`RDATA of type ${type} is shorter than its names`);
  return [...parts, hexadecimal(bytes.subarray(offset, end))].filter((part) => part !== "").join(
    " ",
  );
}

function readName(bytes: Uint8Array, start: number): { name: string; end: number } {
  let name = "";
  let end: number | undefined;
  let offset = start;
  for (let steps = 0; steps < 256; steps++) {
    const length = bytes[offset];
    if (length === undefined) throw new Error("a name goes on behind the end");
    if (length === 0) return { name: name === "" ? "." : name, end: end ?? offset + 1 };
    if (length >= 0xc0) {
      end ??= offset + 2;
      offset = (length & 0x3f) << 8 | bytes[offset + 1];
      continue;
    }
    for (const octet of bytes.subarray(offset + 1, offset + 1 + length)) {
      const plain = octet > 0x20 && octet < 0x7f && octet !== 0x2e && octet !== 0x5c;
      name += plain ? String.fromCharCode(octet) : `\\${String(octet).padStart(3, "0")}`;
    }
    name += ".";
    offset += 1 + length;
  }
  throw new Error("a name without an end");
}

function hexadecimal(octets: Uint8Array): string {
  return Array.from(octets, (octet) => octet.toString(16).padStart(2, "0")).join("");
}
