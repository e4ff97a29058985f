/**
 * Memory of name tables, for use again: shared memory that a worker of the fast path has seen is never
 * freed while that worker runs (20 MB a push, measured), so that a new table goes where an old one was.
 *
 * @module
 */

/** How much memory is kept beside that of the table in force: one table that is built, one that goes. */
const KEPT_MAX = 2;
/** What is larger than a table by this factor, and than {@link SMALL_OCTETS}, is not worth keeping for it. */
const OVERSIZE_FACTOR = 4;
const SMALL_OCTETS = 1 << 16;

/** Memory that tables had. */
export class TableMemory {
  readonly #isInUse: (buffer: SharedArrayBuffer) => boolean;
  #released: SharedArrayBuffer[] = [];

  /** Holds none yet; `isInUse` tells whether somebody still reads what was released. */
  constructor(isInUse: (buffer: SharedArrayBuffer) => boolean) {
    this.#isInUse = isInUse;
  }

  /** Memory for a table of some `octets` that nobody reads any more, if there is some. */
  take(octets: number): SharedArrayBuffer | undefined {
    const most = Math.max(SMALL_OCTETS, octets * OVERSIZE_FACTOR);
    const buffer = this.#released.find((buffer) =>
      buffer.byteLength >= octets && buffer.byteLength <= most && !this.#isInUse(buffer)
    );
    this.#released = this.#released.filter((other) => other !== buffer);
    return buffer;
  }

  /** Gives memory back, which may still be read for a while. */
  release(buffer: SharedArrayBuffer): void {
    this.#released.push(buffer);
    if (this.#released.length > KEPT_MAX) this.#released.shift();
  }
}
