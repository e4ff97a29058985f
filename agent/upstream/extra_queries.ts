/**
 * How many more queries than questions a group may send: hedges and explorations, both bounded by the
 * number of questions, so that trouble upstream is never doubled from here. Pure.
 *
 * @module
 */

/** Hedges that each question pays for. */
export const HEDGES_PER_QUESTION = 0.1;
/** Hedges that may be saved up. */
export const HEDGES_SAVED_MAX = 10;
/** Every so many questions, a server that is not the first is asked as well. */
export const EXPLORATION_INTERVAL = 32;

/** A token bucket that questions fill, and not time: an idle hour pays for no burst. */
export class ExtraQueries {
  #hedges = HEDGES_SAVED_MAX;
  #questions = 0;

  /** Counts a question. Returns whether it explores: asks a second server at once, to learn its speed. */
  onQuestion(): boolean {
    this.#hedges = Math.min(HEDGES_SAVED_MAX, this.#hedges + HEDGES_PER_QUESTION);
    return ++this.#questions % EXPLORATION_INTERVAL === 0;
  }

  /** Takes one hedge; false where none is left. */
  takeHedge(): boolean {
    if (this.#hedges < 1) return false;
    this.#hedges--;
    return true;
  }
}
