/**
 * Puts an answer on the wire for one client: header, the question as it was asked, the records with
 * names compressed, OPT where the client speaks EDNS, and truncation to what the client takes.
 *
 * @module
 */
import type { Answer, ExtendedError } from "./answer.ts";
import { RecordType } from "./codes.ts";
import { decodeName, NAME_MAX_OCTETS, writeLabel } from "./name.ts";
import { NO_OCTETS } from "./octets.ts";
import { HEADER_OCTETS, type QueryHead } from "./query.ts";
import { compressibleNames } from "./rdata_layout.ts";
import type { ResourceRecord } from "./record.ts";

/** What a UDP answer may measure to a client without EDNS (RFC 1035 section 4.2.1). */
export const UDP_OCTETS_WITHOUT_EDNS = 512;
/** The most that the agent sends in one UDP datagram, whatever a client advertises. */
export const UDP_OCTETS_MAX = 4096;
/** Largest query that is asked for in OPT, in octets (DNS flag day 2020: fits every path whole). */
export const UDP_OCTETS_ADVERTISED = 1232;
/** What a message may measure on TCP. */
export const TCP_OCTETS_MAX = 65535;

/** How much a client takes by UDP, in octets. */
export function udpAnswerLimit(head: QueryHead): number {
  return head.edns === undefined
    ? UDP_OCTETS_WITHOUT_EDNS
    : Math.min(head.edns.udpPayloadSize, UDP_OCTETS_MAX);
}

/**
 * Encodes an answer of at most `maxOctets`.
 *
 * Where it does not fit, the additional section goes first, without a mark (RFC 2181 section 9); when
 * the answer or authority section has to be cut, the rest of the records is dropped whole and TC is set.
 */
export function encodeAnswer(
  head: QueryHead,
  answer: Answer,
  options: { maxOctets: number },
): Uint8Array {
  const writer = new AnswerWriter(head, answer, options.maxOctets);
  const answers = writer.section(answer.answers);
  const answersWhole = answers === answer.answers.length;
  const authority = answersWhole ? writer.section(answer.authority) : 0;
  const truncated = !answersWhole || authority < answer.authority.length;
  const additional = truncated ? 0 : writer.section(answer.additional);
  return writer.finish({ answers, authority, additional, truncated });
}

/**
 * Where answers are put together, one after the other: memory of its own costs an answer more than all the
 * rest. It has room for the longest message and the longest record behind that.
 */
const workspace = new Uint8Array(2 * TCP_OCTETS_MAX + 2 * NAME_MAX_OCTETS + 10);
const workspaceView = new DataView(workspace.buffer);

/** Appends records while they fit. */
class AnswerWriter {
  readonly #head: QueryHead;
  readonly #answer: Answer;
  readonly #opt: Uint8Array;
  readonly #limit: number;
  readonly #bytes = workspace;
  /** The name that is asked for: nearly all that is answered points to it. */
  readonly #asked: string | undefined;
  /** Where each name that was written can be pointed to; the one that is asked for only once it is needed. */
  #offsets: Map<string, number> | undefined;
  #end = HEADER_OCTETS;

  constructor(head: QueryHead, answer: Answer, maxOctets: number) {
    this.#head = head;
    this.#answer = answer;
    this.#opt = encodeOpt(head, answer);
    this.#limit = maxOctets - this.#opt.length;
    this.#append(head.questionWire);
    this.#asked = head.questionWire.length === 0
      ? undefined
      : decodeName(head.questionWire, 0)?.name;
  }

  /** Writes records until one does not fit; returns how many were written. */
  section(records: readonly ResourceRecord[]): number {
    for (let i = 0; i < records.length; i++) {
      if (!this.#record(records[i])) return i;
    }
    return records.length;
  }

  finish(
    counts: { answers: number; authority: number; additional: number; truncated: boolean },
  ): Uint8Array {
    const head = this.#head;
    this.#append(this.#opt);
    const flags = 0x8000 | head.opcode << 11 |
      (this.#answer.authoritative ? 0x0400 : 0) |
      (counts.truncated ? 0x0200 : 0) |
      (head.recursionDesired ? 0x0100 : 0) |
      0x0080 /* RA */ |
      (this.#answer.authenticated && authenticDataExpected(head) ? 0x0020 : 0) |
      (head.checkingDisabled ? 0x0010 : 0) |
      this.#answer.rcode & 0xf;
    const view = workspaceView;
    view.setUint16(0, head.id);
    view.setUint16(2, flags);
    view.setUint16(4, head.questionWire.length === 0 ? 0 : 1);
    view.setUint16(6, counts.answers);
    view.setUint16(8, counts.authority);
    view.setUint16(10, counts.additional + (this.#opt.length === 0 ? 0 : 1));
    return this.#bytes.slice(0, this.#end);
  }

  #record(record: ResourceRecord): boolean {
    const start = this.#end;
    const names = this.#offsets?.size;
    this.#name(record.name);
    this.#uint16(record.type);
    this.#uint16(record.class);
    this.#uint16(record.ttlSeconds >>> 16);
    this.#uint16(record.ttlSeconds & 0xffff);
    const lengthAt = this.#end;
    this.#end += 2;
    this.#rdata(record);
    const length = this.#end - lengthAt - 2;
    this.#bytes[lengthAt] = length >> 8;
    this.#bytes[lengthAt + 1] = length & 0xff;
    if (this.#end <= this.#limit) return true;
    this.#end = start;
    if (this.#offsets?.size !== names) this.#forgetFrom(start);
    return false;
  }

  #rdata({ type, rdata }: ResourceRecord): void {
    const form = compressibleNames(type);
    if (form === undefined) {
      this.#append(rdata);
      return;
    }
    let offset = form.fixedOctets;
    this.#append(rdata.subarray(0, offset));
    for (let i = 0; i < form.names; i++) {
      const decoded = decodeName(rdata, offset)!;
      this.#name(decoded.name, rdata.subarray(offset));
      offset = decoded.end;
    }
    this.#append(rdata.subarray(offset));
  }

  /**
   * Writes a name: labels until the rest was written before, then a pointer to that.
   *
   * @param wire the same name uncompressed, in the letter case that it is to have; lower case unless given
   */
  #name(name: string, wire?: Uint8Array): void {
    if (name === this.#asked && name !== "") return this.#uint16(0xc000 | HEADER_OCTETS);
    const offsets = this.#offsets ??= this.#offsetsOfAsked();
    let from = 0;
    for (let at = 0; at < name.length;) {
      const rest = name.slice(at);
      const known = offsets.get(rest);
      if (known !== undefined) return this.#uint16(0xc000 | known);
      if (this.#end < 0x4000) offsets.set(rest, this.#end);
      const end = labelEnd(name, at);
      if (wire === undefined) {
        this.#end = writeLabel(this.#bytes, this.#end, name.slice(at, end));
      } else {
        for (const next = from + 1 + wire[from]; from < next; from++) {
          this.#bytes[this.#end++] = wire[from];
        }
      }
      at = end + 1;
    }
    this.#bytes[this.#end++] = 0;
  }

  /** The name that is asked for, and its parents, which stand there without compression. */
  #offsetsOfAsked(): Map<string, number> {
    const offsets = new Map<string, number>();
    const name = this.#asked ?? "";
    let offset = HEADER_OCTETS;
    for (let at = 0; at < name.length; at = labelEnd(name, at) + 1) {
      offsets.set(name.slice(at), offset);
      offset += 1 + this.#bytes[offset];
    }
    return offsets;
  }

  #forgetFrom(offset: number): void {
    for (const [name, at] of this.#offsets!) {
      if (at >= offset) this.#offsets!.delete(name);
    }
  }

  #uint16(value: number): void {
    this.#bytes[this.#end++] = value >> 8;
    this.#bytes[this.#end++] = value & 0xff;
  }

  #append(octets: Uint8Array): void {
    this.#bytes.set(octets, this.#end);
    this.#end += octets.length;
  }
}

/** Where the label that begins at `start` of a name ends. */
function labelEnd(name: string, start: number): number {
  const dot = name.indexOf(".", start);
  return dot === -1 ? name.length : dot;
}

/** AD goes only to clients that would look at it (RFC 6840 section 5.8). */
function authenticDataExpected(head: QueryHead): boolean {
  return head.authenticDataWanted || head.edns?.dnssecOk === true;
}

/** The agent's own OPT record for a client that sent one; empty for the others. */
function encodeOpt(head: QueryHead, answer: Answer): Uint8Array {
  if (head.edns === undefined) return NO_OCTETS;
  const option = answer.extendedError === undefined
    ? NO_OCTETS
    : encodeExtendedError(answer.extendedError);
  const opt = new Uint8Array(11 + option.length);
  const view = new DataView(opt.buffer);
  view.setUint16(1, RecordType.OPT);
  view.setUint16(3, UDP_OCTETS_ADVERTISED);
  opt[5] = answer.rcode >> 4;
  opt[7] = head.edns.dnssecOk ? 0x80 : 0;
  view.setUint16(9, option.length);
  opt.set(option, 11);
  return opt;
}

function encodeExtendedError({ code, text }: ExtendedError): Uint8Array {
  const EXTENDED_DNS_ERROR_OPTION = 15;
  const words = new TextEncoder().encode(text);
  const option = new Uint8Array(6 + words.length);
  const view = new DataView(option.buffer);
  view.setUint16(0, EXTENDED_DNS_ERROR_OPTION);
  view.setUint16(2, 2 + words.length);
  view.setUint16(4, code);
  option.set(words, 6);
  return option;
}
