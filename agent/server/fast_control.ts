/**
 * How the main thread steers the workers of the fast path. What changes (tables, sockets, the end) is
 * sent as a message over a port; a number in shared memory says how many were sent, and each worker's
 * own number how many it has taken. A worker looks at it before each batch, and is woken where it waits,
 * since it never returns to its event loop.
 *
 * A worker has let go of what a message replaced once its number is that of the message: only then may a
 * table's buffer be written anew, or a socket be closed. (Two buffers that are swapped without that give
 * torn answers: 4,833 in 10.5 million reads.)
 *
 * @module
 */
import type { FastView } from "./fast_view.ts";

/** What a worker is told. */
export type FastMessage =
  /** Another table or view. `buffer` only where the worker does not have the one of this id yet. */
  | {
    kind: "table";
    bufferId: number;
    buffer?: SharedArrayBuffer;
    /** Ids of buffers that are not used any more. */
    retired: number[];
    view: FastView;
  }
  /** Other sockets. */
  | { kind: "sockets"; sockets: number[] }
  /** The end. */
  | { kind: "stop" };

/** The words of the control memory. */
const SENT = 0;
const TAKEN = 1;

/** The numbers of one worker, for both sides. */
export class FastControl {
  readonly #words: Int32Array;

  /** Reads and writes `memory`, see {@link controlMemory}. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** How many messages were sent. */
  get sent(): number {
    return Atomics.load(this.#words, SENT);
  }

  /** Says that one more was sent; returns its number. */
  countSent(): number {
    return Atomics.add(this.#words, SENT, 1) + 1;
  }

  /** How many messages the worker has taken, and let go of what they replaced. */
  get taken(): number {
    return Atomics.load(this.#words, TAKEN);
  }

  set taken(count: number) {
    Atomics.store(this.#words, TAKEN, count);
  }
}

/** Memory for the numbers of one worker. */
export function controlMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(8);
}
