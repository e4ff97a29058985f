/**
 * Reads Istio's NameTable (pkg/dns/proto/nds.proto), the message that the agent lives by, from its
 * protobuf encoding, whoever sent it: any octets are read, or refused with an Error. Pure.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { HostEntry } from "./host_entry.ts";

/** The wire types of protobuf that are in use. */
const WireType = { VARINT: 0, FIXED64: 1, BYTES: 2, FIXED32: 5 } as const;

/** Tags of the fields: number and wire type. */
const Tag = {
  /** NameTable: an entry of `map<string, NameInfo> table = 1`. */
  TABLE: 1 << 3 | WireType.BYTES,
  /** Entry: the host. */
  KEY: 1 << 3 | WireType.BYTES,
  /** Entry: its NameInfo. */
  VALUE: 2 << 3 | WireType.BYTES,
  /** NameInfo: `repeated string ips = 1`. */
  IPS: 1 << 3 | WireType.BYTES,
  /** NameInfo: `string registry = 2`. */
  REGISTRY: 2 << 3 | WireType.BYTES,
  /** NameInfo: `string shortname = 3`. */
  SHORTNAME: 3 << 3 | WireType.BYTES,
  /** NameInfo: `string namespace = 4`. */
  NAMESPACE: 4 << 3 | WireType.BYTES,
  /** NameInfo: `repeated string alt_hosts = 5`. */
  ALT_HOSTS: 5 << 3 | WireType.BYTES,
} as const;

/**
 * Decodes a NameTable, one host after the other. A host that is there twice is given twice; fields that
 * are not known are passed over.
 *
 * @throws {Error} on the way, when the octets are no protobuf message
 */
export function* decodeNameTable(bytes: Uint8Array): Generator<HostEntry> {
  const reader = new MessageReader(bytes);
  while (reader.at < bytes.length) {
    const tag = reader.varint(bytes.length);
    if (tag === Tag.TABLE) yield readEntry(reader, reader.endOfBytes(bytes.length));
    else reader.skip(tag, bytes.length);
  }
}

function readEntry(reader: MessageReader, end: number): HostEntry {
  const entry: HostEntry = {
    host: "",
    addresses: [],
    registry: "",
    shortName: "",
    namespace: "",
    altHosts: [],
  };
  while (reader.at < end) {
    const tag = reader.varint(end);
    if (tag === Tag.KEY) entry.host = reader.text(end);
    else if (tag === Tag.VALUE) readInfo(reader, reader.endOfBytes(end), entry);
    else reader.skip(tag, end);
  }
  return entry;
}

function readInfo(reader: MessageReader, end: number, entry: HostEntry): void {
  while (reader.at < end) {
    const tag = reader.varint(end);
    switch (tag) {
      case Tag.IPS:
        entry.addresses.push(reader.text(end));
        break;
      case Tag.REGISTRY:
        entry.registry = reader.text(end);
        break;
      case Tag.SHORTNAME:
        entry.shortName = reader.text(end);
        break;
      case Tag.NAMESPACE:
        entry.namespace = reader.text(end);
        break;
      case Tag.ALT_HOSTS:
        entry.altHosts.push(reader.text(end));
        break;
      default:
        reader.skip(tag, end);
    }
  }
}

/** Goes over octets; each step may lead no further than to the `end` of the message that it is in. */
class MessageReader {
  /** Offset of what comes next. */
  at = 0;
  /** Buffer makes short texts three times as fast as TextDecoder. */
  readonly #bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  /** A number; of more than 32 bits the lower ones. */
  varint(end: number): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) throw new Error(`cut short at octet ${this.at}`);
      const octet = this.#bytes[this.at++];
      if (shift < 32) value |= (octet & 0x7f) << shift;
      if (octet < 0x80) return value >>> 0;
    }
    throw new Error(`a number without an end at octet ${this.at}`);
  }

  /** Reads a length, and gives where what has it ends. */
  endOfBytes(end: number): number {
    const length = this.varint(end);
    if (length > end - this.at) throw new Error(`cut short at octet ${this.at}`);
    return this.at + length;
  }

  /** A text; what is no UTF-8 in it becomes U+FFFD. */
  text(end: number): string {
    const to = this.endOfBytes(end);
    const text = this.#bytes.toString("utf8", this.at, to);
    this.at = to;
    return text;
  }

  /** Passes over a field that is not known. */
  skip(tag: number, end: number): void {
    switch (tag & 7) {
      case WireType.VARINT:
        this.varint(end);
        return;
      case WireType.FIXED64:
        return this.#move(8, end);
      case WireType.BYTES:
        this.at = this.endOfBytes(end);
        return;
      case WireType.FIXED32:
        return this.#move(4, end);
      default:
        throw new Error(`wire type ${tag & 7} at octet ${this.at}`);
    }
  }

  #move(octets: number, end: number): void {
    if (octets > end - this.at) throw new Error(`cut short at octet ${this.at}`);
    this.at += octets;
  }
}
