/**
 * The messages that come from upstream servers. They are hostile until checked: one that does not match
 * the question is not an answer, and of one that does, only records that belong to the question's CNAME
 * chain are kept.
 *
 * dns-packet is not used here: it throws on hostile input, lower-cases nothing, and re-encodes types
 * that must pass untouched.
 *
 * @module
 */
import type { Answer } from "./answer.ts";
import { EdnsOption, Rcode, RecordClass, RecordType } from "./codes.ts";
import { decodeName, encodeName, isWithin } from "./name.ts";
import { uint16, uint32 } from "./octets.ts";
import { HEADER_OCTETS, type Question } from "./query.ts";
import { unpackRdata } from "./rdata_layout.ts";
import type { ResourceRecord } from "./record.ts";

/** The longest CNAME chain that is followed within one answer; unbound's limit is 12 (DNS flag day: 8+). */
export const CNAME_CHAIN_MAX = 12;
/** The most records that are read from one message. */
export const RECORDS_MAX = 1024;

/** What an upstream server's message turned out to be. */
export type UpstreamMessage =
  | UpstreamAnswer
  /** No answer to this question: ignore it and go on waiting. */
  | { kind: "mismatch"; reason: string }
  /** The answer to this question, but not readable. */
  | { kind: "malformed"; reason: string };

/** The answer to the question, with what the exchange has to look at before it believes it. */
export interface UpstreamAnswer {
  /** Tells it from the other outcomes. */
  kind: "answer";
  /** What it says. */
  answer: Answer;
  /** Whether it was cut, and must be asked for again on TCP. */
  truncated: boolean;
  /** Whether the question is repeated octet by octet, letter case and all. */
  caseKept: boolean;
  /** The COOKIE option (RFC 7873), where there is one. */
  cookie?: Uint8Array;
}

/** What a message must match to be the answer. */
export interface ExpectedAnswer {
  /** Message id. */
  id: number;
  /** What was asked. */
  question: Question;
  /** The name as it was sent, where its letter case counts. */
  nameWire?: Uint8Array;
}

/**
 * Decodes and filters an upstream server's message.
 *
 * @param message its question is put into lower case where `nameWire` is expected
 */
export function decodeUpstreamAnswer(
  message: Uint8Array,
  expected: ExpectedAnswer,
): UpstreamMessage {
  if (message.length < HEADER_OCTETS) return { kind: "mismatch", reason: "shorter than a header" };
  const flags = uint16(message, 2);
  if (uint16(message, 0) !== expected.id) return { kind: "mismatch", reason: "another id" };
  if ((flags & 0xf800) !== 0x8000) return { kind: "mismatch", reason: "not a response to a query" };
  const rcode = flags & 0xf;
  const truncated = (flags & 0x0200) !== 0;
  // Servers that cannot read a query may leave the question out (RFC 1035 section 4.1.1 asks for it).
  if (uint16(message, 4) !== 1) {
    return uint16(message, 4) === 0 && (rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP)
      ? { kind: "answer", answer: emptyAnswer(rcode), truncated: false, caseKept: true }
      : { kind: "mismatch", reason: "not one question" };
  }
  const name = decodeName(message, HEADER_OCTETS);
  if (name === undefined || name.end + 4 > message.length) {
    return { kind: "mismatch", reason: "unreadable question" };
  }
  const { question } = expected;
  if (
    name.name !== question.name || uint16(message, name.end) !== question.type ||
    uint16(message, name.end + 2) !== question.class
  ) {
    return { kind: "mismatch", reason: "another question" };
  }
  const { nameWire } = expected;
  const caseKept = nameWire === undefined ||
    nameWire.every((octet, i) => message[HEADER_OCTETS + i] === octet);
  // Names that point to the question shall not have the letter case that was mixed for this query.
  if (nameWire !== undefined) message.set(encodeName(question.name), HEADER_OCTETS);
  const counts = [uint16(message, 6), uint16(message, 8), uint16(message, 10)];
  if (counts[0] + counts[1] + counts[2] > RECORDS_MAX) {
    return { kind: "malformed", reason: `more than ${RECORDS_MAX} records` };
  }
  const sections = decodeSections(message, name.end + 4, counts);
  if (sections === undefined) {
    // What follows a cut is of no interest: it is asked again on TCP.
    return truncated
      ? { kind: "answer", answer: emptyAnswer(rcode), truncated, caseKept }
      : { kind: "malformed", reason: "unreadable record" };
  }
  const chain = followChain(question, sections.records[0]);
  if (chain === undefined) {
    return { kind: "malformed", reason: `CNAME chain that loops or exceeds ${CNAME_CHAIN_MAX}` };
  }
  const answer: Answer = {
    rcode: rcode | sections.extendedRcode << 4,
    authoritative: false,
    authenticated: (flags & 0x0020) !== 0,
    answers: chain.records,
    authority: sections.records[1].filter((record) => belongsToAuthority(record, chain.end)),
    // Additional records answer no question; what they say about other names is not believed.
    additional: [],
  };
  const { cookie } = sections;
  return { kind: "answer", answer, truncated, caseKept, ...(cookie && { cookie }) };
}

function decodeSections(
  message: Uint8Array,
  offset: number,
  counts: number[],
): { records: ResourceRecord[][]; extendedRcode: number; cookie?: Uint8Array } | undefined {
  const records: ResourceRecord[][] = [[], [], []];
  let extendedRcode = 0;
  let cookie: Uint8Array | undefined;
  for (let section = 0; section < 3; section++) {
    for (let i = 0; i < counts[section]; i++) {
      const owner = decodeName(message, offset);
      if (owner === undefined || owner.end + 10 > message.length) return undefined;
      const type = uint16(message, owner.end);
      const ttl = uint32(message, owner.end + 4);
      const start = owner.end + 10;
      const end = start + uint16(message, owner.end + 8);
      if (end > message.length) return undefined;
      offset = end;
      if (type === RecordType.OPT) {
        extendedRcode = ttl >>> 24;
        cookie = findOption(message.subarray(start, end), EdnsOption.COOKIE);
        continue;
      }
      const rdata = unpackRdata(message, { type, start, end });
      if (rdata === undefined) return undefined;
      records[section].push({
        name: owner.name,
        type,
        class: uint16(message, owner.end + 2),
        // A TTL with the top bit set counts as zero (RFC 2181 section 8).
        ttlSeconds: ttl > 0x7fffffff ? 0 : ttl,
        rdata,
      });
    }
  }
  return { records, extendedRcode, ...(cookie && { cookie }) };
}

/** The octets of the first option with that code (RFC 6891 section 6.1.2). */
function findOption(options: Uint8Array, code: number): Uint8Array | undefined {
  for (let offset = 0; offset + 4 <= options.length;) {
    const end = offset + 4 + uint16(options, offset + 2);
    if (end > options.length) return undefined;
    if (uint16(options, offset) === code) {
      return options.slice(offset + 4, end);
    }
    offset = end;
  }
  return undefined;
}

/**
 * The records that answer the question: those of its name, and along its CNAME and DNAME records those
 * of each target. Everything else that a server may have put into the section is left out.
 */
function followChain(
  question: Question,
  records: ResourceRecord[],
): { records: ResourceRecord[]; end: string } | undefined {
  const kept: ResourceRecord[] = [];
  const seen = new Set<string>();
  let name = question.name;
  for (;;) {
    if (seen.has(name) || seen.size > CNAME_CHAIN_MAX) return undefined;
    seen.add(name);
    const own = records.filter((record) =>
      record.name === name && record.class === RecordClass.IN &&
      (record.type === question.type || question.type === RecordType.ANY ||
        record.type === RecordType.CNAME || record.type === RecordType.RRSIG)
    );
    const dname = records.filter((record) =>
      (record.type === RecordType.DNAME || covers(record, RecordType.DNAME)) &&
      record.name !== name && isWithin(name, record.name)
    );
    kept.push(...dname.filter((record) => !kept.includes(record)), ...own);
    const follows = question.type !== RecordType.CNAME && question.type !== RecordType.ANY &&
      !own.some((record) => record.type === question.type);
    const cname = own.find((record) => record.type === RecordType.CNAME);
    if (!follows || cname === undefined) return { records: kept, end: name };
    name = decodeName(cname.rdata, 0)!.name;
  }
}

/**
 * Whether a record of the authority section speaks of the name that the chain ends at: the zone's SOA or
 * NS above it, or a proof that it does not exist. Proofs are owned by its neighbours or by hashes.
 */
function belongsToAuthority(record: ResourceRecord, name: string): boolean {
  const proof = [RecordType.NSEC, RecordType.NSEC3].some((type) =>
    record.type === type || covers(record, type)
  );
  return record.class === RecordClass.IN && (proof || isWithin(name, record.name));
}

/** Whether a record is the signature over records of `type`. */
function covers(record: ResourceRecord, type: number): boolean {
  return record.type === RecordType.RRSIG && record.rdata.length >= 2 &&
    uint16(record.rdata, 0) === type;
}

function emptyAnswer(rcode: number): Answer {
  return {
    rcode,
    authoritative: false,
    authenticated: false,
    answers: [],
    authority: [],
    additional: [],
  };
}
