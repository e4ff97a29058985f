/**
 * How much may be under way at a time, in all. Pure.
 *
 * @module
 */

/** A number of places. */
export class Capacity {
  #free: number;

  /**
   * All are free at first.
   *
   * @param places how many there are
   */
  constructor(places: number) {
    this.#free = places;
  }

  /** Takes a place; false where none is free. */
  take(): boolean {
    if (this.#free <= 0) return false;
    this.#free--;
    return true;
  }

  /** Gives it back. */
  release(): void {
    this.#free++;
  }
}
