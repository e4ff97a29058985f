/**
 * The hot part of the cache: what upstream servers said and was asked for again, in wire form in memory
 * that the workers of the fast path share. Only this class writes there, on the main thread; workers read
 * (`hot_cache_reader.ts`).
 *
 * It is a copy, and never says what {@link AnswerCache} would not: what is replaced, forgotten or evicted
 * there is gone here before the call returns. Where answers may no longer be given as they are cached
 * (another mesh, other upstream servers), whoever knows calls {@link HotCache.clear}.
 *
 * @module
 */
import type { AnswerCache, KeptAnswer } from "./answer_cache.ts";
import type { CachedKind } from "./answer_ttl.ts";
import { questionOf } from "./cache_key.ts";
import {
  type AnswerBody,
  encodeAnswerBody,
  packOctets,
  packPairs,
  wireName,
} from "./hot_cache_entry.ts";
import {
  AnswerFlag,
  Header,
  HEADER_WORDS,
  HOT_CACHE_MAGIC,
  hotCacheWords,
  NEVER_MS,
  questionHash,
  questionWord,
  SLOT_WORDS,
  SlotWord,
  WAYS,
} from "./hot_cache_layout.ts";

/** What a {@link HotCache} is made of. */
export interface HotCacheOptions {
  /** What it copies from; its `onGone` is taken. */
  cache: AnswerCache;
  /** The finished hash of a name in wire form, lower case, without the root's octet; as workers make it. */
  hashOf: (name: Uint8Array) => number;
  /**
   * What is to be added to the times of {@link cache} to get those of CLOCK_BOOTTIME, in milliseconds, now:
   * an answer is as old for workers as it is for the cache.
   */
  bootOffsetMs: () => number;
  /** See {@link HOT_CACHE_SLOTS}; a power of two, 4 at least. */
  slots?: number;
}

/**
 * How many answers are kept hot: 2 MiB, of which only what is used is ever touched. A VM asks for some
 * hundred to a few thousand names a day.
 */
export const HOT_CACHE_SLOTS = 4096;
/**
 * A worker says that a refresh is due so much later than {@link AnswerCache} would, in milliseconds: by
 * then that one agrees, although their clocks are read apart.
 */
const REFRESH_MARGIN_MS = 10;
/** How much of an entry's heat is left one {@link HotCache.fold} later. */
const COOLING = 0.5;

/** What the main thread knows of a slot that is in use. */
interface Entry {
  key: string;
  kind: CachedKind;
  expiresMs: number;
  /** Hits of late, and longer ago ever less: what is cold makes room. */
  heat: number;
}

/** The writer. Times are those of {@link AnswerCache}. */
export class HotCache {
  /** For workers: a `HotCacheReader` reads it. */
  readonly memory: SharedArrayBuffer;
  readonly #options: HotCacheOptions;
  readonly #words: Int32Array;
  readonly #slots: number;
  readonly #entries: (Entry | undefined)[];
  readonly #slotOf = new Map<string, number>();
  /** What does not fit: not tried again at each hit. */
  readonly #tooLarge = new WeakSet<KeptAnswer["answer"]>();

  /** Takes the memory, and follows the cache from now on. */
  constructor(options: HotCacheOptions) {
    this.#options = options;
    this.#slots = options.slots ?? HOT_CACHE_SLOTS;
    this.#entries = new Array(this.#slots).fill(undefined);
    this.memory = new SharedArrayBuffer(4 * hotCacheWords(this.#slots));
    this.#words = new Int32Array(this.memory);
    this.#words[Header.MAGIC] = HOT_CACHE_MAGIC;
    this.#words[Header.SLOTS] = this.#slots;
    options.cache.onGone = (key) => this.forget(key);
  }

  /** Number of answers that are here, those included that ended since the last {@link fold}. */
  get size(): number {
    return this.#slotOf.size;
  }

  /**
   * Takes in an answer that the cache gave and that was sent as it was: what the mesh added something to
   * is none. Nothing happens where it is here already or does not fit.
   */
  promote(kept: KeptAnswer, nowMs: number): void {
    const { key, answer, kind, expiresMs } = kept;
    if (this.#slotOf.has(key) || nowMs >= expiresMs) return;
    if (answer.extendedError !== undefined || this.#tooLarge.has(answer)) return;
    const { question, flags } = questionOf(key);
    const body = encodeAnswerBody(question, answer);
    if (body === undefined) {
      this.#tooLarge.add(answer);
      return;
    }
    const name = wireName(question.name);
    const hash = questionHash(this.#options.hashOf(name), question.type, flags);
    const slot = this.#slotFor(hash, nowMs);
    this.#write(slot, kept, {
      name,
      question: questionWord(question.type, flags, name.length),
      body,
    });
    this.#words[HEADER_WORDS + slot] = hash;
    this.#entries[slot] = { key, kind, expiresMs, heat: 1 };
    this.#slotOf.set(key, slot);
  }

  /** Forgets the answer under a key of the cache. */
  forget(key: string): void {
    const slot = this.#slotOf.get(key);
    if (slot !== undefined) this.#free(slot);
  }

  /** Forgets everything: to be called whenever what is cached may mean something else. */
  clear(): void {
    for (const slot of [...this.#slotOf.values()]) this.#free(slot);
  }

  /** Tells the cache of the hits since the last time, and lets go what has ended; once a second. */
  fold(nowMs: number): void {
    for (const slot of [...this.#slotOf.values()]) {
      const entry = this.#entries[slot]!;
      entry.heat *= COOLING;
      this.#count(slot, entry);
      if (nowMs >= entry.expiresMs) this.#free(slot);
    }
  }

  /** A slot of the bucket that a question falls into: a free one, or the coldest is forgotten. */
  #slotFor(hash: number, nowMs: number): number {
    const first = hash & this.#slots - WAYS;
    let coldest = first;
    for (let slot = first; slot < first + WAYS; slot++) {
      const entry = this.#entries[slot];
      if (entry !== undefined) this.#count(slot, entry);
      if (this.#heatOf(slot, nowMs) < this.#heatOf(coldest, nowMs)) coldest = slot;
    }
    if (this.#entries[coldest] !== undefined) this.#free(coldest);
    return coldest;
  }

  #heatOf(slot: number, nowMs: number): number {
    const entry = this.#entries[slot];
    return entry === undefined || nowMs >= entry.expiresMs ? -1 : entry.heat;
  }

  #count(slot: number, entry: Entry): void {
    const at = this.#at(slot) + SlotWord.HITS;
    if (Atomics.load(this.#words, at) === 0) return;
    const hits = Atomics.exchange(this.#words, at, 0);
    entry.heat += hits;
    this.#options.cache.used(entry.key, { hits, kind: entry.kind });
  }

  #free(slot: number): void {
    const at = this.#at(slot);
    const entry = this.#entries[slot]!;
    this.#change(at, () => this.#words[at + SlotWord.LIFE_MS] = 0);
    // Only now: nobody can hit it any more.
    this.#count(slot, entry);
    this.#entries[slot] = undefined;
    this.#slotOf.delete(entry.key);
  }

  #write(
    slot: number,
    { answer, storedMs, expiresMs, refreshMs }: KeptAnswer,
    { name, question, body }: { name: Uint8Array; question: number; body: AnswerBody },
  ): void {
    const at = this.#at(slot);
    const set = (word: number, value: number) => void (this.#words[at + word] = value);
    // Rounded towards an earlier end.
    const bootMs = Math.floor(storedMs + this.#options.bootOffsetMs());
    const refreshAfterMs = Math.ceil(refreshMs - storedMs) + REFRESH_MARGIN_MS;
    const flags = (answer.authoritative ? AnswerFlag.AUTHORITATIVE : 0) |
      (answer.authenticated ? AnswerFlag.AUTHENTICATED : 0);
    const data = [...packOctets(name), ...packPairs(body.ttlOffsets), ...packOctets(body.octets)];
    this.#change(at, () => {
      set(SlotWord.STORED_SECONDS, Math.floor(bootMs / 1000));
      set(SlotWord.STORED_MS, bootMs - 1000 * Math.floor(bootMs / 1000));
      set(SlotWord.LIFE_MS, Math.min(Math.floor(expiresMs - storedMs), NEVER_MS));
      set(SlotWord.REFRESH_MS, Math.min(refreshAfterMs, NEVER_MS));
      set(SlotWord.QUESTION, question);
      set(SlotWord.ANSWER, answer.rcode | flags << 4 | body.octets.length << 8);
      set(SlotWord.RECORDS, body.answers | body.authority << 8 | body.additional << 16);
      data.forEach((word, i) => set(SlotWord.DATA + i, word));
    });
  }

  /** Changes a slot while its version is odd; behind it, the version is one that no reader has seen. */
  #change(at: number, change: () => void): void {
    // A read-modify-write, see `hot_cache_layout.ts`.
    const version = Atomics.add(this.#words, at + SlotWord.VERSION, 1);
    change();
    Atomics.store(this.#words, at + SlotWord.VERSION, version + 2 | 0);
  }

  #at(slot: number): number {
    return HEADER_WORDS + this.#slots + slot * SLOT_WORDS;
  }
}
