/**
 * Randomness, as a port. Owns the only uses of the runtime's generators; the adapter is a CSPRNG
 * throughout, since query ids must not be guessable (RFC 5452 section 9.2).
 *
 * @module
 */

/** A source of randomness. */
export interface Random {
  /** A whole number in [0, 65535]. */
  uint16(): number;
  /** A number in [0, 1). */
  fraction(): number;
  /** `length` random octets. */
  bytes(length: number): Uint8Array<ArrayBuffer>;
}

/** The kernel's CSPRNG, drawn in blocks: one call a query would cost more than the query's id is worth. */
export class SystemRandom implements Random {
  readonly #pool = new Uint16Array(1024);
  #next = this.#pool.length;

  /** See {@link Random.uint16}. */
  uint16(): number {
    if (this.#next === this.#pool.length) {
      crypto.getRandomValues(this.#pool);
      this.#next = 0;
    }
    const value = this.#pool[this.#next];
    this.#pool[this.#next++] = 0;
    return value;
  }

  /** See {@link Random.fraction}. */
  fraction(): number {
    return (this.uint16() * 0x10000 + this.uint16()) / 0x100000000;
  }

  /** See {@link Random.bytes}. */
  bytes(length: number): Uint8Array<ArrayBuffer> {
    return crypto.getRandomValues(new Uint8Array(length));
  }
}
