/**
 * Messages of the D-Bus protocol, as much of it as asking a service for its properties takes: calls with
 * texts as arguments, and any reply. Pure; what is malformed is a value, never an exception.
 *
 * @module
 */

/** A call of a method whose arguments are texts. */
export interface DbusCall {
  /** Comes back in the reply; not 0. */
  serial: number;
  /** Bus name of the service. */
  destination: string;
  /** Path of the object. */
  path: string;
  /** Interface of the method. */
  interface: string;
  /** The method. */
  member: string;
  /** Its arguments. */
  arguments: string[];
}

/** A value: structs are arrays, dictionaries arrays of pairs, variants what is in them. */
export type DbusValue = number | boolean | string | Uint8Array | DbusValue[];

/** A message that came. */
export interface DbusMessage {
  /** Octets that it takes. */
  octets: number;
  /** What it is. */
  kind: "return" | "error" | "other";
  /** Serial of the call that it replies to; 0 where it does not. */
  replySerial: number;
  /** Name of an error. */
  errorName: string;
  /** The values it carries; empty where they cannot be read. */
  body: DbusValue[];
}

const METHOD_CALL = 1;
const KINDS: Record<number, DbusMessage["kind"]> = { 2: "return", 3: "error" };
/** NO_AUTO_START: a service that does not run has nothing to tell, and is not ours to start. */
const NO_AUTO_START = 2;
const Field = {
  path: 1,
  interface: 2,
  member: 3,
  errorName: 4,
  replySerial: 5,
  destination: 6,
  signature: 8,
};
const FIXED_HEADER_OCTETS = 12;
/** The longest message (D-Bus specification, "Message Format"), far above any reply here. */
const MAX_OCTETS = 128 * 1024 * 1024;
const MAX_DEPTH = 32;

/** Encodes a call, little-endian. */
export function encodeDbusCall(call: DbusCall): Uint8Array {
  const body = new Writer();
  for (const argument of call.arguments) body.text(argument);
  const fields = new Writer();
  const field = (code: number, type: string, write: () => void) => {
    fields.align(8);
    fields.octet(code);
    fields.signature(type);
    write();
  };
  field(Field.path, "o", () => fields.text(call.path));
  field(Field.interface, "s", () => fields.text(call.interface));
  field(Field.member, "s", () => fields.text(call.member));
  field(Field.destination, "s", () => fields.text(call.destination));
  if (call.arguments.length > 0) {
    field(Field.signature, "g", () => fields.signature("s".repeat(call.arguments.length)));
  }
  const message = new Writer();
  for (const octet of [0x6c, METHOD_CALL, NO_AUTO_START, 1]) message.octet(octet);
  message.uint32(body.octets.length);
  message.uint32(call.serial);
  message.uint32(fields.octets.length);
  message.octets.push(...fields.octets);
  message.align(8);
  return Uint8Array.from([...message.octets, ...body.octets]);
}

/**
 * Decodes the message at the start of `octets`.
 *
 * @returns `incomplete` where more octets have to come, `malformed` where no more would help
 */
export function decodeDbusMessage(octets: Uint8Array): DbusMessage | "incomplete" | "malformed" {
  if (octets.length < FIXED_HEADER_OCTETS + 4) return "incomplete";
  const order = String.fromCharCode(octets[0]);
  if (order !== "l" && order !== "B") return "malformed";
  const reader = new Reader(octets, order === "l");
  reader.offset = 4;
  const bodyOctets = reader.uint32();
  reader.offset = FIXED_HEADER_OCTETS;
  const bodyStart = (FIXED_HEADER_OCTETS + 4 + reader.uint32() + 7) & ~7;
  const length = bodyStart + bodyOctets;
  if (bodyStart < 0 || length > MAX_OCTETS) return "malformed";
  if (octets.length < length) return "incomplete";
  const whole = new Reader(octets.subarray(0, length), order === "l");
  whole.offset = FIXED_HEADER_OCTETS;
  const message: DbusMessage = {
    octets: length,
    kind: KINDS[octets[1]] ?? "other",
    replySerial: 0,
    errorName: "",
    body: [],
  };
  try {
    const [fields] = whole.values("a(yv)") as [[number, DbusValue][]];
    const header = new Map(fields);
    message.replySerial = Number(header.get(Field.replySerial) ?? 0);
    message.errorName = String(header.get(Field.errorName) ?? "");
    whole.offset = bodyStart;
    message.body = whole.values(String(header.get(Field.signature) ?? ""));
  } catch (error) {
    if (error instanceof RangeError) return "malformed";
    throw error;
  }
  return message;
}

class Writer {
  readonly octets: number[] = [];

  align(to: number): void {
    while (this.octets.length % to !== 0) this.octets.push(0);
  }

  octet(value: number): void {
    this.octets.push(value);
  }

  uint32(value: number): void {
    this.align(4);
    this.octets.push(value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24);
  }

  text(value: string): void {
    const bytes = new TextEncoder().encode(value);
    this.uint32(bytes.length);
    this.octets.push(...bytes, 0);
  }

  signature(value: string): void {
    this.octets.push(value.length, ...new TextEncoder().encode(value), 0);
  }
}

/** Reads values by their signature; a RangeError says that the message is malformed. */
class Reader {
  offset = 0;
  readonly #view: DataView;
  readonly #octets: Uint8Array;
  readonly #littleEndian: boolean;

  constructor(octets: Uint8Array, littleEndian: boolean) {
    this.#octets = octets;
    this.#view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
    this.#littleEndian = littleEndian;
  }

  uint32(): number {
    return this.#number(4, () => this.#view.getUint32(this.offset, this.#littleEndian));
  }

  values(signature: string, depth = 0): DbusValue[] {
    const values: DbusValue[] = [];
    for (let at = 0; at < signature.length;) {
      const type = completeType(signature, at);
      values.push(this.#value(type, depth));
      at += type.length;
    }
    return values;
  }

  #value(type: string, depth: number): DbusValue {
    if (depth > MAX_DEPTH) throw new RangeError("nested too deeply");
    const little = this.#littleEndian;
    switch (type[0]) {
      case "y":
        return this.#number(1, () => this.#view.getUint8(this.offset));
      case "b":
        return this.uint32() !== 0;
      case "n":
        return this.#number(2, () => this.#view.getInt16(this.offset, little));
      case "q":
        return this.#number(2, () => this.#view.getUint16(this.offset, little));
      case "i":
        return this.#number(4, () => this.#view.getInt32(this.offset, little));
      case "u":
      case "h":
        return this.uint32();
      case "x":
        return this.#number(8, () => Number(this.#view.getBigInt64(this.offset, little)));
      case "t":
        return this.#number(8, () => Number(this.#view.getBigUint64(this.offset, little)));
      case "d":
        return this.#number(8, () => this.#view.getFloat64(this.offset, little));
      case "s":
      case "o":
        return this.#text(this.uint32());
      case "g":
        return this.#text(this.#number(1, () => this.#view.getUint8(this.offset)));
      case "v": {
        const signature = this.#text(this.#number(1, () => this.#view.getUint8(this.offset)));
        if (completeType(signature, 0) !== signature) throw new RangeError("not one type");
        return this.#value(signature, depth + 1);
      }
      case "(":
      case "{":
        this.#align(8);
        return this.values(type.slice(1, -1), depth + 1);
      default:
        return this.#array(type.slice(1), depth);
    }
  }

  #array(type: string, depth: number): DbusValue {
    const length = this.uint32();
    this.#align("({xtd".includes(type[0]) ? 8 : "iubsoah".includes(type[0]) ? 4 : 1);
    const end = this.offset + length;
    if (end > this.#octets.length) throw new RangeError("array past the end");
    if (type === "y") {
      this.offset = end;
      return this.#octets.slice(end - length, end);
    }
    const values: DbusValue[] = [];
    while (this.offset < end) {
      const before = this.offset;
      values.push(this.#value(type, depth + 1));
      if (this.offset === before) throw new RangeError("array of nothing");
    }
    if (this.offset !== end) throw new RangeError("array does not end with an element");
    return values;
  }

  #number(octets: number, read: () => number): number {
    this.#align(octets);
    const value = read();
    this.offset += octets;
    return value;
  }

  #text(octets: number): string {
    const end = this.offset + octets;
    if (end >= this.#octets.length) throw new RangeError("text past the end");
    const text = new TextDecoder().decode(this.#octets.subarray(this.offset, end));
    this.offset = end + 1;
    return text;
  }

  #align(to: number): void {
    this.offset = Math.ceil(this.offset / to) * to;
  }
}

/** The one type that starts at `at` of a signature. */
function completeType(signature: string, at: number): string {
  let end = at;
  while (signature[end] === "a") end++;
  if (end - at > MAX_DEPTH) throw new RangeError("nested too deeply");
  const first = signature[end];
  if (first === undefined) throw new RangeError("no type");
  if (first === "(" || first === "{") {
    let depth = 0;
    do {
      if (signature[end] === "(" || signature[end] === "{") depth++;
      if (signature[end] === ")" || signature[end] === "}") depth--;
      if (signature[end++] === undefined) throw new RangeError("no end of a struct");
    } while (depth > 0);
    return signature.slice(at, end);
  }
  if (!"ybnqiuhxtdsogv".includes(first)) throw new RangeError("unknown type");
  return signature.slice(at, end + 1);
}
