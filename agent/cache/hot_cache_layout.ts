/**
 * The hot part of the cache in memory: where everything lies. The main thread writes it
 * (`hot_cache.ts`), the workers of the fast path read it (`hot_cache_reader.ts`), without a lock; nothing
 * else may know offsets.
 *
 * ```
 * header   HEADER_WORDS words
 * hashes   one word a slot: where to look at all, four of them in one cache line
 * slots    SLOT_WORDS words each; a bucket is WAYS slots in a row
 * ```
 *
 * Words are signed 32-bit numbers. Octet i of a text lies in the bits 8 * (i % 4) and up of its word i / 4,
 * whatever the machine's own order is.
 *
 * A slot is a seqlock. Its writer makes the version odd by a read-modify-write, changes the slot, and makes
 * it even by a store. A reader loads the version, reads, and ends with a compare-and-exchange of the
 * version for itself. That one is a write too, so that whoever changes the slot next has read from it: all
 * that was read happened before the change, by the memory model of ECMAScript and on arm64 as well. With a
 * load at the end, plain reads could happen after it, and each word would have to be an Atomics.load: those
 * are calls of 6 to 9 ns each, and find and copy of 80 octets took 430 ns instead of 110 (x86-64).
 *
 * @module
 */

/** Words of the header. */
export const HEADER_WORDS = 16;

/** The words of the header by index. */
export const Header = {
  /** {@link HOT_CACHE_MAGIC}. */
  MAGIC: 0,
  /** Number of slots; a power of two. */
  SLOTS: 1,
} as const;

/** The first word: what it is, and the version of this layout. */
export const HOT_CACHE_MAGIC = 0x4f48_4331;

/** Slots that one question may lie in. */
export const WAYS = 4;
/**
 * Words of a slot. What fits in these 512 octets fits, with header, question and OPT, in the 512 octets
 * that every client takes by UDP: no answer from here is ever cut.
 */
export const SLOT_WORDS = 128;

/** The words of a slot by index. */
export const SlotWord = {
  /** Odd while the slot is written, and another number after each time. */
  VERSION: 0,
  /** When the answer was stored: whole seconds since the machine's start (CLOCK_BOOTTIME). */
  STORED_SECONDS: 1,
  /** And milliseconds behind them. */
  STORED_MS: 2,
  /** Milliseconds from then to its end; 0: nothing is here. */
  LIFE_MS: 3,
  /** Milliseconds from then to when a hit is due for a refresh; {@link NEVER_MS}. */
  REFRESH_MS: 4,
  /** See {@link questionWord}. */
  QUESTION: 5,
  /** Rcode in 4 bits, {@link AnswerFlag}s in 4, the octets of the body in 16. */
  ANSWER: 6,
  /** Records of the answer, authority and additional section, 8 bits each. */
  RECORDS: 7,
  /** The name, the offsets of the TTLs in the body (two a word), the body; each from a new word on. */
  DATA: 8,
  /**
   * Answers given from here and not yet counted; written by workers. In the last cache line of a slot,
   * away from what all of them read.
   */
  HITS: 126,
  /** The version whose refresh was said; written by workers. */
  REFRESH_SAID: 127,
} as const;

/** Words for {@link SlotWord.DATA}. */
export const DATA_WORDS = SlotWord.HITS - SlotWord.DATA;

/** Flags of {@link SlotWord.ANSWER}. */
export const AnswerFlag = {
  /** AA. */
  AUTHORITATIVE: 1,
  /** AD, for clients that look at it. */
  AUTHENTICATED: 2,
} as const;

/** The longest life in a slot, 24.8 days; a refresh that is due then is due never. */
export const NEVER_MS = 0x7fff_ffff;

/** Words of a cache of so many slots. */
export function hotCacheWords(slots: number): number {
  return HEADER_WORDS + slots + slots * SLOT_WORDS;
}

/** What is asked, beside the name: type, DO 1 and CD 2, the octets of the name. */
export function questionWord(type: number, flags: number, nameOctets: number): number {
  return type | flags << 16 | nameOctets << 18;
}

/** The hash of a question from the finished one of its name. */
export function questionHash(nameHash: number, type: number, flags: number): number {
  return nameHash ^ Math.imul(type << 2 | flags, 0x9e37_79b1);
}
