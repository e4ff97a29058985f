/**
 * Randomness that a number decides: the same seed, the same numbers.
 *
 * @module
 */
import type { Random } from "../../agent/system/random.ts";

/** Numbers by Weyl's sequence and a mixing of its bits; good enough to drive tests. */
export class SeededRandom implements Random {
  #state: number;

  /** @param seed any whole number; `purpose` tells apart the streams of one seed */
  constructor(seed: number, purpose = "") {
    this.#state = seed >>> 0;
    for (const character of purpose) {
      this.#state = Math.imul(this.#state ^ character.charCodeAt(0), 0x01000193) >>> 0;
    }
    for (let i = 0; i < 4; i++) this.#uint32();
  }

  /** See {@link Random.uint16}. */
  uint16(): number {
    return this.#uint32() >>> 16;
  }

  /** See {@link Random.fraction}. */
  fraction(): number {
    return this.#uint32() / 0x100000000;
  }

  /** See {@link Random.bytes}. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#uint32() >>> 24);
  }

  /** A whole number in [from, to]. */
  between(from: number, to: number): number {
    return from + Math.floor(this.fraction() * (to - from + 1));
  }

  /** Whether something happens that happens with `probability`. */
  chance(probability: number): boolean {
    return this.fraction() < probability;
  }

  /** One of several. */
  pick<T>(items: readonly T[]): T {
    return items[this.between(0, items.length - 1)];
  }

  #uint32(): number {
    this.#state = this.#state + 0x9e3779b9 >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ mixed >>> 16, 0x85ebca6b);
    mixed = Math.imul(mixed ^ mixed >>> 13, 0xc2b2ae35);
    return (mixed ^ mixed >>> 16) >>> 0;
  }
}
