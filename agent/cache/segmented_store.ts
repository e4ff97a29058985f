/**
 * A map that is bounded in octets and keeps what is used again: a segmented LRU. What is new is on
 * probation; only what is asked for again there becomes protected. A flood of names that are asked once
 * pushes out other newcomers and never what is protected. Every operation takes constant time.
 *
 * Knows nothing of DNS or time.
 *
 * @module
 */

/**
 * How much of the bound protected values may take. The rest is where newcomers have to be asked for again
 * before they reach its end; a fifth is what the policy is usually run with.
 */
const PROTECTED_SHARE = 0.8;

/** A value in one of the two lists. */
class Slot<V> {
  readonly key: string;
  value: V;
  bytes: number;
  list: SlotList<V>;
  newer: Slot<V> | undefined = undefined;
  older: Slot<V> | undefined = undefined;

  constructor(key: string, value: V, options: { bytes: number; list: SlotList<V> }) {
    this.key = key;
    this.value = value;
    this.bytes = options.bytes;
    this.list = options.list;
  }
}

/**
 * Slots in the order of use. A linked list, since a Map that serves as a queue walks over what was
 * deleted at its front.
 */
class SlotList<V> {
  newest: Slot<V> | undefined;
  oldest: Slot<V> | undefined;
  bytes = 0;

  add(slot: Slot<V>): void {
    slot.list = this;
    slot.older = this.newest;
    slot.newer = undefined;
    if (this.newest === undefined) this.oldest = slot;
    else this.newest.newer = slot;
    this.newest = slot;
    this.bytes += slot.bytes;
  }

  remove(slot: Slot<V>): void {
    if (slot.newer === undefined) this.newest = slot.older;
    else slot.newer.older = slot.older;
    if (slot.older === undefined) this.oldest = slot.newer;
    else slot.older.newer = slot.newer;
    this.bytes -= slot.bytes;
  }
}

/** The map. */
export class SegmentedStore<V> {
  readonly #slots = new Map<string, Slot<V>>();
  readonly #probation = new SlotList<V>();
  readonly #protected = new SlotList<V>();
  readonly #onEvicted: (key: string) => void;
  #maxBytes: number;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `maxBytes`: the bound; `onEvicted` is called with each key whose value had to make room
   */
  constructor(options: { maxBytes: number; onEvicted: (key: string) => void }) {
    this.#maxBytes = options.maxBytes;
    this.#onEvicted = options.onEvicted;
  }

  /** The value of a key, which counts as a use of it. */
  use(key: string): V | undefined {
    const slot = this.#slots.get(key);
    if (slot === undefined) return undefined;
    slot.list.remove(slot);
    this.#protected.add(slot);
    // What was protected and used longest ago is on probation again, before all newcomers.
    while (this.#protected.bytes > PROTECTED_SHARE * this.#maxBytes) {
      const demoted = this.#protected.oldest!;
      this.#protected.remove(demoted);
      this.#probation.add(demoted);
    }
    return slot.value;
  }

  /** The value of a key. */
  peek(key: string): V | undefined {
    return this.#slots.get(key)?.value;
  }

  /**
   * Sets the value of a key, where a value that is there keeps its rank, and makes room for it.
   *
   * @param options `bytes`: its size, key and all
   * @returns false when it is larger than the whole bound; then the key has no value
   */
  set(key: string, value: V, { bytes }: { bytes: number }): boolean {
    const present = this.#slots.get(key);
    if (bytes > this.#maxBytes) {
      this.delete(key);
      return false;
    }
    if (present === undefined) {
      const slot = new Slot(key, value, { bytes, list: this.#probation });
      this.#slots.set(key, slot);
      this.#probation.add(slot);
    } else {
      present.value = value;
      present.list.bytes += bytes - present.bytes;
      present.bytes = bytes;
    }
    this.#makeRoom(key);
    return true;
  }

  /** Forgets a key. */
  delete(key: string): void {
    const slot = this.#slots.get(key);
    if (slot === undefined) return;
    slot.list.remove(slot);
    this.#slots.delete(key);
  }

  /** Sets another bound; what is too much for it goes. */
  resize(maxBytes: number): void {
    this.#maxBytes = maxBytes;
    this.#makeRoom();
  }

  /** Every key with its value, in no order; keys may be deleted on the way. */
  *entries(): IterableIterator<[string, V]> {
    for (const [key, { value }] of this.#slots) yield [key, value];
  }

  /** Number of keys. */
  get size(): number {
    return this.#slots.size;
  }

  /** Size of all values. */
  get bytes(): number {
    return this.#probation.bytes + this.#protected.bytes;
  }

  /** Lets go what is on probation and was used longest ago, but not `kept`; then what is protected. */
  #makeRoom(kept?: string): void {
    while (this.bytes > this.#maxBytes) {
      const victim = other(this.#probation.oldest, kept) ?? other(this.#protected.oldest, kept)!;
      this.delete(victim.key);
      this.#onEvicted(victim.key);
    }
  }
}

/** `slot`, or the next newer one where its key is `kept`. */
function other<V>(slot: Slot<V> | undefined, kept: string | undefined): Slot<V> | undefined {
  return slot?.key === kept ? slot?.newer : slot;
}
