/**
 * Randomness that repeats itself.
 *
 * @module
 */
import type { Random } from "../../agent/system/random.ts";

/** Counts up where a number is asked for; `fraction` is what it was made with. */
export class FixedRandom implements Random {
  #next = 1;
  readonly #fraction: number;

  /** @param fraction in [0, 1) */
  constructor(fraction = 0.5) {
    this.#fraction = fraction;
  }

  /** See {@link Random.uint16}. */
  uint16(): number {
    return this.#next++ & 0xffff;
  }

  /** See {@link Random.fraction}. */
  fraction(): number {
    return this.#fraction;
  }

  /** See {@link Random.bytes}. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return Uint8Array.from({ length }, () => this.#next++ & 0xff);
  }
}
