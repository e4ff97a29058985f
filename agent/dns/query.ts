/**
 * What a client asked: decoding of queries, and what to do with messages that are none. This is the
 * first code that hostile octets meet: it allocates nothing in proportion to what they claim, and
 * every refusal is a value.
 *
 * @module
 */
import { Opcode, Rcode, RecordClass, RecordType } from "./codes.ts";
import { decodeName } from "./name.ts";
import { NO_OCTETS, uint16 } from "./octets.ts";

/** The octets of a DNS header (RFC 1035 section 4.1.1). */
export const HEADER_OCTETS = 12;

/** The one question of a query. */
export interface Question {
  /** Canonical name. */
  name: string;
  /** Type number. */
  type: number;
  /** Class number. */
  class: number;
}

/** What the OPT record of a query says (RFC 6891). */
export interface ClientEdns {
  /** Largest UDP answer that the client takes, in octets; at least 512. */
  udpPayloadSize: number;
  /** DO: send DNSSEC records (RFC 3225). */
  dnssecOk: boolean;
}

/** The parts of a query that its answer repeats. */
export interface QueryHead {
  /** Message id. */
  id: number;
  /** Opcode, repeated in the answer. */
  opcode: number;
  /** RD. */
  recursionDesired: boolean;
  /** CD (RFC 4035 section 3.2.2). */
  checkingDisabled: boolean;
  /** AD: the client wants to know whether the data was validated (RFC 6840 section 5.7). */
  authenticDataWanted: boolean;
  /** The question section as it came: its letter case is echoed. Empty when there was none to echo. */
  questionWire: Uint8Array;
  /** Undefined when the client does not speak EDNS. */
  edns: ClientEdns | undefined;
}

/** A query that can be answered. */
export interface Query extends QueryHead {
  /** What is asked. */
  question: Question;
}

/** What became of a client's message. */
export type DecodedQuery =
  | { kind: "query"; query: Query }
  /** To be answered with `rcode` and nothing else. */
  | { kind: "reject"; head: QueryHead; rcode: number }
  /** To be left unanswered. */
  | { kind: "drop"; reason: "short" | "response" };

/** Decodes a client's message. */
export function decodeQuery(message: Uint8Array): DecodedQuery {
  if (message.length < HEADER_OCTETS) return { kind: "drop", reason: "short" };
  const flags = uint16(message, 2);
  if ((flags & 0x8000) !== 0) return { kind: "drop", reason: "response" };
  const head: QueryHead = {
    id: uint16(message, 0),
    opcode: flags >> 11 & 0xf,
    recursionDesired: (flags & 0x0100) !== 0,
    checkingDisabled: (flags & 0x0010) !== 0,
    authenticDataWanted: (flags & 0x0020) !== 0,
    questionWire: NO_OCTETS,
    edns: undefined,
  };
  const reject = (rcode: number): DecodedQuery => ({ kind: "reject", head, rcode });
  if (head.opcode !== Opcode.QUERY) return reject(Rcode.NOTIMP);
  if (uint16(message, 4) !== 1 || uint16(message, 6) !== 0 || uint16(message, 8) !== 0) {
    return reject(Rcode.FORMERR);
  }
  const name = decodeName(message, HEADER_OCTETS);
  if (name === undefined || name.end + 4 > message.length) return reject(Rcode.FORMERR);
  const end = name.end + 4;
  // Safe to echo: a pointer in a first name could only lead into the header, which decodeName refuses.
  head.questionWire = message.slice(HEADER_OCTETS, end);
  const question = {
    name: name.name,
    type: uint16(message, name.end),
    class: uint16(message, name.end + 2),
  };
  const additional = decodeAdditional(message, end, uint16(message, 10));
  if (additional === "malformed") return reject(Rcode.FORMERR);
  if (additional !== undefined) {
    head.edns = additional.edns;
    if (additional.version > 0) return reject(Rcode.BADVERS);
  }
  const { type } = question;
  if (question.class !== RecordClass.IN) return reject(Rcode.REFUSED);
  if (type === RecordType.AXFR || type === RecordType.IXFR) return reject(Rcode.REFUSED);
  if (isNoQuestion(type)) return reject(Rcode.FORMERR);
  return { kind: "query", query: { ...head, question } };
}

/**
 * Types that no record has and nobody may ask for: 0, OPT, and the meta types (RFC 6895 section 3.1),
 * TKEY and TSIG among them. RFC 9824 section 3.5 asks for FORMERR at NXNAME, which is one of them.
 */
function isNoQuestion(type: number): boolean {
  return type === 0 || type === RecordType.OPT || type >= 128 && type < RecordType.ANY;
}

/** Finds the OPT record among `count` additional records; other ones (TSIG, say) are passed over. */
function decodeAdditional(
  message: Uint8Array,
  offset: number,
  count: number,
): { edns: ClientEdns; version: number } | undefined | "malformed" {
  let found: { edns: ClientEdns; version: number } | undefined;
  for (let i = 0; i < count; i++) {
    const owner = decodeName(message, offset);
    if (owner === undefined || owner.end + 10 > message.length) return "malformed";
    const rdataAt = owner.end + 10;
    const rdataLength = uint16(message, owner.end + 8);
    if (rdataAt + rdataLength > message.length) return "malformed";
    if (uint16(message, owner.end) === RecordType.OPT) {
      // One OPT at most, owned by the root (RFC 6891 section 6.1.1).
      if (found !== undefined || owner.name !== "") return "malformed";
      if (!optionsAreWhole(message, rdataAt, rdataAt + rdataLength)) return "malformed";
      found = {
        edns: {
          udpPayloadSize: Math.max(512, uint16(message, owner.end + 2)),
          dnssecOk: (message[owner.end + 6] & 0x80) !== 0,
        },
        version: message[owner.end + 5],
      };
    }
    offset = rdataAt + rdataLength;
  }
  return found;
}

function optionsAreWhole(message: Uint8Array, offset: number, end: number): boolean {
  while (offset < end) {
    if (offset + 4 > end) return false;
    offset += 4 + uint16(message, offset + 2);
  }
  return offset === end;
}
