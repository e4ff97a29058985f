/**
 * Makes hostile octets out of valid ones, with what is known of DNS messages: lengths that lie, pointers
 * that loop, cuts, and parts of several messages spliced. The same numbers give the same octets.
 *
 * @module
 */

/** Gives whole numbers of 32 bits. */
export type Numbers = () => number;

/** One way of change; the message may be changed in place, or another one returned. */
type Change = (message: Uint8Array, numbers: Numbers, corpus: readonly Uint8Array[]) => Uint8Array;

const below = (numbers: Numbers, limit: number) => limit <= 0 ? 0 : numbers() % limit;
/** Numbers at the edges of fields of 8 and 16 bits. */
const EDGES_16 = [
  0,
  1,
  2,
  0x3f,
  0x40,
  0x7f,
  0xff,
  0x100,
  0x1ff,
  0x3fff,
  0x4000,
  0x7fff,
  0xc00c,
  0xffff,
];
const EDGES_8 = [0, 1, 0x3f, 0x40, 0x7f, 0x80, 0xbf, 0xc0, 0xfe, 0xff];
/** What a mutated message may grow to: more than any datagram that a socket hands over. */
const OCTETS_MAX = 70_000;

const CHANGES: readonly Change[] = [
  function flipBit(message, numbers) {
    if (message.length > 0) message[below(numbers, message.length)] ^= 1 << below(numbers, 8);
    return message;
  },
  function setOctet(message, numbers) {
    if (message.length > 0) {
      message[below(numbers, message.length)] = EDGES_8[below(numbers, EDGES_8.length)];
    }
    return message;
  },
  /** Counts of the header, RDLENGTH, option lengths: wherever it falls. */
  function lieAboutLength(message, numbers) {
    const at = below(numbers, 3) === 0
      ? 4 + 2 * below(numbers, 4)
      : below(numbers, message.length - 1);
    return setUint16(message, at, EDGES_16[below(numbers, EDGES_16.length)]);
  },
  function lieByOne(message, numbers) {
    const at = below(numbers, message.length);
    if (message.length > 0) message[at] += below(numbers, 2) === 0 ? 1 : -1;
    return message;
  },
  /** A compression pointer: to itself, to another place, or ahead. */
  function point(message, numbers) {
    const at = below(numbers, message.length - 1);
    const targets = [at, at - 2, at + 2, 12, below(numbers, message.length), 0x3fff];
    const target = Math.max(0, targets[below(numbers, targets.length)]);
    return setUint16(message, at, 0xc000 | target & 0x3fff);
  },
  /** Two pointers that lead to each other. */
  function pointInCircle(message, numbers) {
    const a = below(numbers, message.length - 1);
    const b = below(numbers, message.length - 1);
    return setUint16(setUint16(message, a, 0xc000 | b & 0x3fff), b, 0xc000 | a & 0x3fff);
  },
  function cut(message, numbers) {
    return message.subarray(0, below(numbers, message.length + 1));
  },
  function cutFromFront(message, numbers) {
    return message.subarray(below(numbers, message.length + 1));
  },
  function removePart(message, numbers) {
    const at = below(numbers, message.length);
    return joined(message.subarray(0, at), message.subarray(at + 1 + below(numbers, 40)));
  },
  function repeatPart(message, numbers) {
    const at = below(numbers, message.length);
    const part = message.subarray(at, at + 1 + below(numbers, 60));
    const parts = Array.from({ length: 1 + below(numbers, 8) }, () => part);
    return joined(message.subarray(0, at), ...parts, message.subarray(at));
  },
  function splice(message, numbers, corpus) {
    const other = corpus[below(numbers, corpus.length)];
    const head = message.subarray(0, below(numbers, message.length + 1));
    return joined(head, other.subarray(below(numbers, other.length + 1)));
  },
  /** Keeps the head, so that what follows is read as records of it. */
  function spliceAtSamePlace(message, numbers, corpus) {
    const other = corpus[below(numbers, corpus.length)];
    const at = below(numbers, Math.min(message.length, other.length) + 1);
    return joined(message.subarray(0, at), other.subarray(at));
  },
  function fill(message, numbers) {
    const at = below(numbers, message.length);
    message.fill(EDGES_8[below(numbers, EDGES_8.length)], at, at + 1 + below(numbers, 64));
    return message;
  },
  function append(message, numbers) {
    const octets = 1 + below(numbers, 32);
    return joined(message, Uint8Array.from({ length: octets }, () => below(numbers, 256)));
  },
  /** A label of 63 octets, again and again: names at and beyond their limit. */
  function insertLabels(message, numbers) {
    const at = below(numbers, message.length + 1);
    const label = new Uint8Array(64).fill(0x61);
    label[0] = 63;
    const labels = Array.from({ length: 1 + below(numbers, 5) }, () => label);
    return joined(message.subarray(0, at), ...labels, message.subarray(at));
  },
];

/** Makes mutations of a corpus. */
export function mutationsOf(corpus: readonly Uint8Array[]): (numbers: Numbers) => Uint8Array {
  return (numbers) => mutate(corpus, numbers);
}

/** A message of the corpus with one to eight changes; one in sixteen is random octets. */
function mutate(corpus: readonly Uint8Array[], numbers: Numbers): Uint8Array {
  if (below(numbers, 16) === 0) {
    return Uint8Array.from({ length: below(numbers, 300) }, () => below(numbers, 256));
  }
  let message = Uint8Array.from(corpus[below(numbers, corpus.length)]);
  for (let changes = 1 + below(numbers, 1 + below(numbers, 8)); changes > 0; changes--) {
    message = CHANGES[below(numbers, CHANGES.length)](message, numbers, corpus).slice(
      0,
      OCTETS_MAX,
    );
  }
  return message;
}

function setUint16(message: Uint8Array, offset: number, value: number): Uint8Array {
  if (offset < 0 || offset + 2 > message.length) return message;
  message[offset] = value >> 8;
  message[offset + 1] = value & 0xff;
  return message;
}

function joined(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
