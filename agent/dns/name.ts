/**
 * Domain names. Inside the agent a name is a text in one canonical form, so that comparing, hashing and
 * cutting names are plain string operations:
 *
 * - lower case (ASCII only, RFC 4343), labels joined by `.`, no dot at the end, the root is `""`;
 * - an octet that is not a printable ASCII character, and a dot or backslash inside a label, is
 *   written `\DDD` (RFC 1035 section 5.1). The form `\.` is never used, so that a `.` in the text
 *   always parts two labels.
 *
 * @module
 */

/** The longest name on the wire, the root's length octet included (RFC 1035 section 3.1). */
export const NAME_MAX_OCTETS = 255;
/** The longest label (RFC 1035 section 3.1). */
export const LABEL_MAX_OCTETS = 63;

/** The most labels that a name can have, the root left out. */
export const LABELS_MAX = 127;

/** A name that was read from a message. */
export interface DecodedName {
  /** Canonical text. */
  name: string;
  /** Offset of the first octet after the name where it was read. */
  end: number;
}

/** The octets of a message's header, which no compression pointer may lead into. */
const HEADER_OCTETS = 12;

/** What each octet of a label looks like in the canonical text. */
const OCTET_TEXT: string[] = Array.from({ length: 256 }, (_, octet) => {
  const printable = octet > 0x20 && octet < 0x7f && octet !== 0x2e && octet !== 0x5c;
  return printable
    ? String.fromCharCode(octet).toLowerCase()
    : `\\${octet.toString().padStart(3, "0")}`;
});

/**
 * Reads a name at `offset`. Compression pointers may only lead to octets before the name that they
 * stand in (RFC 1035 section 4.1.4: "a prior occurrence"), so that every chain of them ends, and not
 * into the header.
 *
 * @returns undefined when the name is cut short, too long, or badly compressed
 */
export function decodeName(message: Uint8Array, offset: number): DecodedName | undefined {
  let name = "";
  let octets = 1;
  let end = -1;
  let limit = offset;
  for (;;) {
    if (offset >= message.length) return undefined;
    const length = message[offset];
    if (length === 0) {
      return { name, end: end === -1 ? offset + 1 : end };
    }
    if (length >= 0xc0) {
      if (offset + 1 >= message.length) return undefined;
      const target = (length & 0x3f) << 8 | message[offset + 1];
      if (end === -1) end = offset + 2;
      if (target >= limit || target < HEADER_OCTETS) return undefined;
      offset = limit = target;
      continue;
    }
    if (length > LABEL_MAX_OCTETS) return undefined;
    octets += length + 1;
    if (octets > NAME_MAX_OCTETS || offset + 1 + length > message.length) return undefined;
    if (name !== "") name += ".";
    for (let i = offset + 1; i <= offset + length; i++) name += OCTET_TEXT[message[i]];
    offset += length + 1;
  }
}

/** The uncompressed wire form of a name that {@link decodeName} can read, in its own letter case. */
export function copyName(message: Uint8Array, offset: number): Uint8Array {
  const wire = new Uint8Array(NAME_MAX_OCTETS);
  let end = 0;
  for (let length = message[offset]; length !== 0; length = message[offset]) {
    if (length >= 0xc0) {
      offset = (length & 0x3f) << 8 | message[offset + 1];
      continue;
    }
    const next = offset + 1 + length;
    wire.set(message.subarray(offset, next), end);
    end += next - offset;
    offset = next;
  }
  return wire.slice(0, end + 1);
}

/** The uncompressed wire form of a canonical name. */
export function encodeName(name: string): Uint8Array {
  const wire = new Uint8Array(name.length + 2);
  return wire.subarray(0, writeName(wire, 0, name) + 1);
}

/**
 * Writes a canonical name in wire form, without the root's octet, at `offset`; returns the offset behind
 * it, also where `wire` ends before that.
 */
export function writeName(wire: Uint8Array, offset: number, name: string): number {
  if (name === "") return offset;
  let length = offset++;
  for (let i = 0; i < name.length; i++) {
    let octet = name.charCodeAt(i);
    if (octet === 0x2e) {
      wire[length] = offset - length - 1;
      length = offset++;
      continue;
    }
    if (octet === 0x5c) {
      octet = Number(name.slice(i + 1, i + 4));
      i += 3;
    }
    wire[offset++] = octet;
  }
  wire[length] = offset - length - 1;
  return offset;
}

/** The canonical text of a name that {@link writeName} wrote to `wire[from, to)`. */
export function readName(wire: Uint8Array, from: number, to: number): string {
  let name = "";
  for (let end = from; from < to; from = end) {
    end += wire[from] + 1;
    if (name !== "") name += ".";
    while (++from < end) name += OCTET_TEXT[wire[from]];
  }
  return name;
}

/** Writes a canonical label with its length octet at `offset`; returns the offset behind it. */
export function writeLabel(wire: Uint8Array, offset: number, label: string): number {
  let end = offset + 1;
  for (let i = 0; i < label.length; i++) {
    if (label[i] === "\\") {
      wire[end++] = Number(label.slice(i + 1, i + 4));
      i += 3;
    } else {
      wire[end++] = label.charCodeAt(i);
    }
  }
  wire[offset] = end - offset - 1;
  return end;
}

/**
 * Reads a name that a person or a control plane wrote, with or without a dot at its end.
 *
 * @returns the canonical form, or undefined when a label is empty or longer than 63 octets, the name is
 * longer than 255, or an escape is wrong
 */
export function parseName(text: string): string | undefined {
  if (text === "." || text === "") return text === "." ? "" : undefined;
  if (isPlainName(text)) return text.toLowerCase();
  const labels: string[] = [];
  let label = "";
  let labelOctets = 0;
  let octets = 1;
  const bytes = new TextEncoder().encode(text);
  for (let i = 0; i <= bytes.length; i++) {
    if (i === bytes.length || bytes[i] === 0x2e) {
      if (labelOctets === 0) {
        if (i === bytes.length && i > 0 && bytes[i - 1] === 0x2e) break;
        return undefined;
      }
      if (labelOctets > LABEL_MAX_OCTETS) return undefined;
      octets += labelOctets + 1;
      labels.push(label);
      label = "";
      labelOctets = 0;
      continue;
    }
    let octet = bytes[i];
    if (octet === 0x5c) {
      const digits = text.length === bytes.length ? text.slice(i + 1, i + 4) : "";
      if (/^\d{3}$/.test(digits)) {
        octet = Number(digits);
        i += 3;
      } else if (i + 1 < bytes.length) {
        octet = bytes[++i];
      } else {
        return undefined;
      }
      if (octet > 255) return undefined;
    }
    label += OCTET_TEXT[octet];
    labelOctets++;
  }
  return octets > NAME_MAX_OCTETS ? undefined : labels.join(".");
}

/** Whether a text is a name with nothing in it to escape, as nearly all are; letter case aside. */
function isPlainName(text: string): boolean {
  if (text.length + 2 > NAME_MAX_OCTETS) return false;
  let label = 0;
  for (let i = 0; i < text.length; i++) {
    const octet = text.charCodeAt(i);
    if (octet === 0x2e) {
      if (label === 0) return false;
      label = 0;
    } else if (octet <= 0x20 || octet >= 0x7f || octet === 0x5c || ++label > LABEL_MAX_OCTETS) {
      return false;
    }
  }
  return label > 0;
}

/** The text of a name for people: with the root's dot where nothing else is left. */
export function formatName(name: string): string {
  return name === "" ? "." : name;
}

/** The labels of a name, the one nearest the root last. */
export function labelsOf(name: string): string[] {
  return name === "" ? [] : name.split(".");
}

/** The name without its first label; undefined for the root. */
export function parentOf(name: string): string | undefined {
  if (name === "") return undefined;
  const dot = name.indexOf(".");
  return dot === -1 ? "" : name.slice(dot + 1);
}

/** Whether `name` is `domain` or lies below it. */
export function isWithin(name: string, domain: string): boolean {
  return domain === "" || name === domain || isBelow(name, domain);
}

/** Whether `name` lies below `domain`. */
export function isBelow(name: string, domain: string): boolean {
  if (domain === "") return name !== "";
  return name.length > domain.length && name.endsWith(domain) &&
    name[name.length - domain.length - 1] === ".";
}

/** What is left of `name` when `.domain` is cut off its end; undefined when it is not below `domain`. */
export function withoutSuffix(name: string, domain: string): string | undefined {
  if (!isBelow(name, domain)) return undefined;
  return domain === "" ? name : name.slice(0, name.length - domain.length - 1);
}

/**
 * Two names joined: `joinNames("a", "b.c")` is `a.b.c`.
 *
 * @returns undefined when the result is longer than a name may be
 */
export function joinNames(name: string, domain: string): string | undefined {
  const joined = name === "" ? domain : domain === "" ? name : `${name}.${domain}`;
  if (joined.length + 2 <= NAME_MAX_OCTETS) return joined;
  return encodeName(joined).length <= NAME_MAX_OCTETS ? joined : undefined;
}
