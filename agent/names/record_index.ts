/**
 * An index of the name table: finds the record of a name or of an address by its octets. Open addressing
 * with linear probing, at most half full; `table_layout.ts` says where it lies.
 *
 * @module
 */

/** Slots of an empty index. */
const SLOTS_MIN = 16;

/** Where a record has its key. */
export interface KeyPlace {
  /** Distance of the octet with the key's length from the record's start. */
  lengthAt: number;
  /** Distance of the key. */
  keyAt: number;
}

/** Finds records by their keys. */
export class RecordIndex {
  /** The records; whoever lets them grow replaces this. */
  octets: Uint8Array;
  readonly #lengthAt: number;
  readonly #keyAt: number;
  #slots: Int32Array;
  #mask: number;
  #count = 0;

  /** An index over `slots`, which must be those of a table; an empty one that can grow without. */
  constructor(
    octets: Uint8Array,
    { lengthAt, keyAt, slots = new Int32Array(2 * SLOTS_MIN) }: KeyPlace & { slots?: Int32Array },
  ) {
    this.octets = octets;
    this.#lengthAt = lengthAt;
    this.#keyAt = keyAt;
    this.#slots = slots;
    this.#mask = slots.length / 2 - 1;
  }

  /** The slots, two words each. */
  get slots(): Int32Array {
    return this.#slots;
  }

  /** Offset of the record whose key is `key[from, to)`, of which `hash` is the hash; 0 where none is. */
  find(hash: number, key: Uint8Array, from: number, to: number): number {
    for (let slot = hash & this.#mask;; slot = slot + 1 & this.#mask) {
      const record = this.#slots[2 * slot + 1];
      if (record === 0) return 0;
      if (this.#slots[2 * slot] === hash && this.#hasKey(record, key, from, to)) return record;
    }
  }

  /** Adds a record whose key is not in the index yet. */
  add(hash: number, record: number): void {
    if (2 * ++this.#count > this.#mask + 1) this.#grow();
    this.#put(hash, record);
  }

  #put(hash: number, record: number): void {
    let slot = hash & this.#mask;
    while (this.#slots[2 * slot + 1] !== 0) slot = slot + 1 & this.#mask;
    this.#slots[2 * slot] = hash;
    this.#slots[2 * slot + 1] = record;
  }

  #grow(): void {
    const before = this.#slots;
    this.#slots = new Int32Array(2 * before.length);
    this.#mask = before.length - 1;
    for (let i = 0; i < before.length; i += 2) {
      if (before[i + 1] !== 0) this.#put(before[i], before[i + 1]);
    }
  }

  #hasKey(record: number, key: Uint8Array, from: number, to: number): boolean {
    if (this.octets[record + this.#lengthAt] !== to - from) return false;
    const offset = record + this.#keyAt - from;
    for (let i = from; i < to; i++) {
      if (this.octets[offset + i] !== key[i]) return false;
    }
    return true;
  }
}
