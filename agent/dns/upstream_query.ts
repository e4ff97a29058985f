/**
 * The queries that are sent to upstream servers. What a client sent along is never passed on: each one
 * is written anew, with OPT (RFC 6891) and the options that concern this one hop.
 *
 * @module
 */
import { EdnsOption, RecordType } from "./codes.ts";
import { encodeName } from "./name.ts";
import { putUint16 } from "./octets.ts";
import { HEADER_OCTETS, type Question } from "./query.ts";

/** What becomes the query to an upstream server. */
export interface UpstreamQueryOptions {
  /** Message id. */
  id: number;
  /** What is asked. */
  question: Question;
  /** The name as it is to stand there, in some letter case; lower case unless given. */
  nameWire?: Uint8Array;
  /** CD, copied from the client. */
  checkingDisabled: boolean;
  /** DO, copied from the client. */
  dnssecOk: boolean;
  /** Largest UDP answer asked for, in octets; 0 leaves out OPT. */
  udpPayloadSize: number;
  /** The COOKIE option's octets (RFC 7873 section 4); none unless given. */
  cookie?: Uint8Array;
  /** Makes the message a multiple of so many octets (RFC 8467 section 4.1); not unless given. */
  paddedToOctets?: number;
}

const OPT_OCTETS = 11;
const OPTION_HEAD_OCTETS = 4;

/** Encodes a recursive query. */
export function encodeUpstreamQuery(options: UpstreamQueryOptions): Uint8Array {
  const { question, udpPayloadSize, cookie, paddedToOctets } = options;
  const name = options.nameWire ?? encodeName(question.name);
  const end = HEADER_OCTETS + name.length + 4;
  const withOpt = udpPayloadSize > 0;
  const cookieOctets = withOpt && cookie !== undefined ? OPTION_HEAD_OCTETS + cookie.length : 0;
  let length = end + (withOpt ? OPT_OCTETS + cookieOctets : 0);
  let paddingOctets = 0;
  if (withOpt && paddedToOctets !== undefined) {
    const bare = length + OPTION_HEAD_OCTETS;
    paddingOctets = Math.ceil(bare / paddedToOctets) * paddedToOctets - bare;
    length = bare + paddingOctets;
  }
  const message = new Uint8Array(length);
  putUint16(message, 0, options.id);
  putUint16(message, 2, 0x0100 /* RD */ | (options.checkingDisabled ? 0x0010 : 0));
  putUint16(message, 4, 1);
  putUint16(message, 10, withOpt ? 1 : 0);
  message.set(name, HEADER_OCTETS);
  putUint16(message, end - 4, question.type);
  putUint16(message, end - 2, question.class);
  if (!withOpt) return message;
  putUint16(message, end + 1, RecordType.OPT);
  putUint16(message, end + 3, udpPayloadSize);
  message[end + 7] = options.dnssecOk ? 0x80 : 0;
  putUint16(message, end + 9, length - end - OPT_OCTETS);
  let offset = end + OPT_OCTETS;
  if (cookie !== undefined) {
    putUint16(message, offset, EdnsOption.COOKIE);
    putUint16(message, offset + 2, cookie.length);
    message.set(cookie, offset + OPTION_HEAD_OCTETS);
    offset += cookieOctets;
  }
  if (paddedToOctets !== undefined) {
    putUint16(message, offset, EdnsOption.PADDING);
    putUint16(message, offset + 2, paddingOctets);
  }
  return message;
}

/**
 * A name in wire form with the case of each letter by a bit of `random16`, which is drawn from when it
 * is used up: what an off-path attacker has to guess as well (draft-vixie-dnsext-dns0x20).
 */
export function mixLetterCase(nameWire: Uint8Array, random16: () => number): Uint8Array {
  let bits = 0;
  let left = 0;
  // Octets of length are at most 63, below any letter.
  return nameWire.map((octet) => {
    if (octet < 0x61 || octet > 0x7a) return octet;
    if (left === 0) {
      bits = random16();
      left = 16;
    }
    left--;
    const upper = (bits & 1) === 1;
    bits >>= 1;
    return upper ? octet ^ 0x20 : octet;
  });
}
