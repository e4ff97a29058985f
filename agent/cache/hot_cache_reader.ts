/**
 * Reads the hot part of the cache, in a worker of the fast path, while the main thread writes it. What was
 * read holds only once its slot had the same version before and after; until then nothing is trusted but
 * that it stays within its bounds. Nothing is allocated for a lookup.
 *
 * @module
 */
import {
  DATA_WORDS,
  Header,
  HEADER_WORDS,
  HOT_CACHE_MAGIC,
  hotCacheWords,
  questionHash,
  questionWord,
  SLOT_WORDS,
  SlotWord,
  WAYS,
} from "./hot_cache_layout.ts";

/** A view of the hot cache that looks at one entry at a time. */
export class HotCacheReader {
  /**
   * Milliseconds of CLOCK_BOOTTIME, to be set once a batch. No argument of {@link find}, since a number with
   * a fraction may be allocated at each call.
   */
  nowMs = 0;
  /**
   * Octets of the body: what follows the question, without OPT. Of the entry that was found, as all below;
   * they hold once {@link copyBody} has said so.
   */
  bodyOctets = 0;
  /** Records of the answer section. */
  answers = 0;
  /** Records of the authority section. */
  authority = 0;
  /** Records of the additional section, without OPT. */
  additional = 0;
  /** Response code: NOERROR or NXDOMAIN. */
  rcode = 0;
  /** `AnswerFlag`s. */
  answerFlags = 0;
  /**
   * Whether the main thread should be asked this question too, so that it fetches a fresh answer; said
   * once for each entry, to one worker. Either it answers the client as well, or this entry does.
   */
  dueForRefresh = false;

  readonly #words: Int32Array;
  readonly #slots: number;
  #slot = 0;
  #version = 0;
  #ttlsAt = 0;
  #ttls = 0;
  #bodyAt = 0;
  #ageSeconds = 0;

  /**
   * Looks at the memory of a `HotCache`.
   *
   * @throws {RangeError} where it is none
   */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
    this.#slots = this.#words[Header.SLOTS];
    const { length } = this.#words;
    const isOne = this.#words[Header.MAGIC] === HOT_CACHE_MAGIC && this.#slots >= WAYS;
    if (!isOne || length !== hotCacheWords(this.#slots)) {
      throw new RangeError(`No hot cache of this version: ${length} words`);
    }
  }

  /**
   * Looks for the answer to a question.
   *
   * @param name in wire form, lower case, without the root's octet: octets [0, nameOctets)
   * @param flags DO 1, CD 2
   * @param nameHash finished, with the seed that the cache was made with
   * @returns whether it is there and has not ended at {@link nowMs}; then the fields describe it
   */
  find(
    name: Uint8Array,
    nameOctets: number,
    type: number,
    flags: number,
    nameHash: number,
  ): boolean {
    const hash = questionHash(nameHash, type, flags);
    const question = questionWord(type, flags, nameOctets);
    const first = hash & this.#slots - WAYS;
    for (let way = first; way < first + WAYS; way++) {
      if (this.#words[HEADER_WORDS + way] !== hash) continue;
      const slot = HEADER_WORDS + this.#slots + way * SLOT_WORDS;
      if (this.#isAt(slot, question, name, nameOctets) && this.#read(slot)) return true;
    }
    return false;
  }

  /**
   * Copies the body to `out[at, at + bodyOctets)`, its TTLs counted down, and counts the hit. No body is so
   * large that the answer would not fit in 512 octets, with its question and OPT.
   *
   * @returns false where the entry was changed since it was found: what was written is garbage, and the
   * fields are; or where `out` is too short
   */
  copyBody(out: DataView, at: number): boolean {
    const words = this.#words;
    const octets = this.bodyOctets;
    const end = at + octets;
    if (end > out.byteLength) return false;
    let from = this.#bodyAt;
    let to = at;
    for (; to + 4 <= end; to += 4) out.setInt32(to, words[from++], true);
    for (let word = words[from]; to < end; word >>= 8) out.setUint8(to++, word & 0xff);
    for (let i = 0; i < this.#ttls; i++) {
      const pair = words[this.#ttlsAt + (i >> 1)];
      const offset = (i & 1) === 0 ? pair & 0xffff : pair >>> 16;
      if (offset + 4 > octets) return false;
      // Never below 1 while the answer is valid, as `agedAnswer` does.
      out.setInt32(at + offset, Math.max(1, out.getInt32(at + offset) - this.#ageSeconds));
    }
    // A read would not do: what was read before it might have been read after it. A write is in its place.
    const version = this.#version;
    const now = Atomics.compareExchange(words, this.#slot + SlotWord.VERSION, version, version);
    if (now !== version) return false;
    // Where the slot is written just now, this counts for what comes: one hit, of no consequence.
    Atomics.add(words, this.#slot + SlotWord.HITS, 1);
    return true;
  }

  /** Whether a slot holds the answer to a question; takes its version down. */
  #isAt(slot: number, question: number, name: Uint8Array, nameOctets: number): boolean {
    const words = this.#words;
    this.#version = Atomics.load(words, slot + SlotWord.VERSION);
    if ((this.#version & 1) !== 0) return false;
    if (words[slot + SlotWord.QUESTION] !== question) return false;
    let word = 0;
    for (let i = 0; i < nameOctets; i++) {
      if ((i & 3) === 0) word = words[slot + SlotWord.DATA + (i >> 2)];
      if ((word & 0xff) !== name[i]) return false;
      word >>= 8;
    }
    this.#ttlsAt = slot + SlotWord.DATA + (nameOctets + 3 >> 2);
    return true;
  }

  /** Reads what a slot says of its answer; false where it has ended, or is garbage. */
  #read(slot: number): boolean {
    const words = this.#words;
    const ageMs = this.nowMs - words[slot + SlotWord.STORED_SECONDS] * 1000 -
      words[slot + SlotWord.STORED_MS];
    // Time is read once a batch, and so may be a little earlier than when the answer was stored.
    if (ageMs >= words[slot + SlotWord.LIFE_MS] || ageMs < -1000) return false;
    const answer = words[slot + SlotWord.ANSWER];
    const records = words[slot + SlotWord.RECORDS];
    this.#ageSeconds = ageMs < 1000 ? 0 : Math.floor(ageMs / 1000);
    this.rcode = answer & 0xf;
    this.answerFlags = answer >> 4 & 0xf;
    this.bodyOctets = answer >>> 8 & 0xffff;
    this.answers = records & 0xff;
    this.authority = records >> 8 & 0xff;
    this.additional = records >> 16 & 0xff;
    this.#ttls = this.answers + this.authority + this.additional;
    this.#bodyAt = this.#ttlsAt + (this.#ttls + 1 >> 1);
    const end = this.#bodyAt + (this.bodyOctets + 3 >> 2);
    if (end > slot + SlotWord.DATA + DATA_WORDS) return false;
    this.#slot = slot;
    this.dueForRefresh = ageMs >= words[slot + SlotWord.REFRESH_MS] && this.#saysRefresh();
    return true;
  }

  /** Whether it is this worker that says that the entry is due: of several, one does. */
  #saysRefresh(): boolean {
    const at = this.#slot + SlotWord.REFRESH_SAID;
    const said = Atomics.load(this.#words, at);
    // An entry that has come since has another version: for that one nothing is said.
    return said !== this.#version &&
      Atomics.compareExchange(this.#words, at, said, this.#version) === said;
  }
}
