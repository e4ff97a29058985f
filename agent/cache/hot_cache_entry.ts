/**
 * What an entry of the hot cache holds: the part of an answer's message that is the same for every client,
 * and how octets become words. Pure.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { encodeAnswer, TCP_OCTETS_MAX } from "../dns/encode_answer.ts";
import { decodeName, encodeName } from "../dns/name.ts";
import { HEADER_OCTETS, type Question } from "../dns/query.ts";
import { DATA_WORDS } from "./hot_cache_layout.ts";

/** The records of an answer as `encodeAnswer` writes them behind the question, before OPT. */
export interface AnswerBody {
  /** Names are compressed; pointers lead into the body and the question. */
  octets: Uint8Array;
  /** Where TTLs stand in it, in octets. */
  ttlOffsets: number[];
  /** Records of the answer section. */
  answers: number;
  /** Records of the authority section. */
  authority: number;
  /** Records of the additional section, without OPT. */
  additional: number;
}

/** A name as table and hot cache hold it: in wire form, without the root's octet. */
export function wireName(name: string): Uint8Array {
  return encodeName(name).subarray(0, -1);
}

/**
 * The body of the answer to a question. The question is echoed with the same length whatever its letter
 * case is, so that pointers into it hold for everybody.
 *
 * @returns undefined where it does not fit in a slot
 */
export function encodeAnswerBody(question: Question, answer: Answer): AnswerBody | undefined {
  const name = encodeName(question.name);
  const questionWire = new Uint8Array(name.length + 4);
  questionWire.set(name);
  const view = new DataView(questionWire.buffer, name.length);
  view.setUint16(0, question.type);
  view.setUint16(2, question.class);
  const head = {
    id: 0,
    opcode: 0,
    recursionDesired: false,
    checkingDisabled: false,
    authenticDataWanted: false,
    questionWire,
    edns: undefined,
  };
  const message = encodeAnswer(head, answer, { maxOctets: TCP_OCTETS_MAX });
  const start = HEADER_OCTETS + questionWire.length;
  const octets = message.subarray(start);
  const [answers, authority, additional] = [answer.answers, answer.authority, answer.additional]
    .map(({ length }) => length);
  const records = answers + authority + additional;
  const words = wordsFor(name.length - 1) + (records + 1 >> 1) + wordsFor(octets.length);
  if (words > DATA_WORDS) return undefined;
  const ttlOffsets: number[] = [];
  for (let offset = start; ttlOffsets.length < records;) {
    const ttlAt = decodeName(message, offset)!.end + 4;
    ttlOffsets.push(ttlAt - start);
    offset = ttlAt + 6 + (message[ttlAt + 4] << 8 | message[ttlAt + 5]);
  }
  return { octets, ttlOffsets, answers, authority, additional };
}

/** Octets, four a word. */
export function packOctets(octets: Uint8Array): Int32Array {
  const words = new Int32Array(wordsFor(octets.length));
  for (let i = 0; i < octets.length; i++) words[i >> 2] |= octets[i] << 8 * (i & 3);
  return words;
}

/** Numbers of 16 bits, two a word. */
export function packPairs(numbers: readonly number[]): Int32Array {
  const words = new Int32Array(numbers.length + 1 >> 1);
  numbers.forEach((number, i) => words[i >> 1] |= number << 16 * (i & 1));
  return words;
}

function wordsFor(octets: number): number {
  return octets + 3 >> 2;
}
