/**
 * A clock for whole days in milliseconds: nothing it drives touches a kernel, so that one turn of the
 * event loop settles every promise. (The manual clock beside it waits long enough for real sockets.)
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../../agent/system/clock.ts";

interface Timer {
  dueMs: number;
  /** Timers that are due together run in the order in which they were set. */
  order: number;
  callback: (() => void) | undefined;
}

/** Time that moves from timer to timer. */
export class SimulatedClock implements Clock {
  /** A binary heap: the timer that is due next stands first. */
  readonly #heap: Timer[] = [];
  #elapsedMs = 0;
  #order = 0;
  #wallOriginMs: number;

  /** @param wallOrigin what the wall clock shows at first */
  constructor(wallOrigin = "2026-01-01T00:00:00Z") {
    this.#wallOriginMs = Date.parse(wallOrigin);
  }

  /** See {@link Clock.monotonicMs}. */
  monotonicMs(): number {
    return this.#elapsedMs;
  }

  /** See {@link Clock.wallMs}. */
  wallMs(): number {
    return this.#wallOriginMs + this.#elapsedMs;
  }

  /** See {@link Clock.schedule}. */
  schedule(delayMs: number, callback: () => void): () => void {
    const timer: Timer = {
      dueMs: this.#elapsedMs + Math.max(0, delayMs),
      order: this.#order++,
      callback,
    };
    this.#push(timer);
    return () => timer.callback = undefined;
  }

  /** Lets `ms` pass. */
  async advance(ms: number): Promise<void> {
    await this.runUntil(() => false, ms);
  }

  /**
   * Lets time pass until `condition` holds, and no longer than `limitMs`.
   *
   * @returns whether it holds
   */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#elapsedMs + limitMs;
    await this.settle();
    while (!condition()) {
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > endMs) {
        this.#elapsedMs = endMs;
        return false;
      }
      this.#pop();
      if (next.callback === undefined) continue;
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.callback();
      await this.settle();
    }
    return true;
  }

  /** How many callbacks wait. */
  get pendingCount(): number {
    return this.#heap.filter(({ callback }) => callback !== undefined).length;
  }

  /** Makes the wall clock jump, as an operator or NTP does; the monotonic clock does not notice. */
  jumpWall(ms: number): void {
    this.#wallOriginMs += ms;
  }

  /** One turn of the event loop: every promise that can settle without the kernel has done so after it. */
  protected settle(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.length;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent])) break;
      heap[at] = heap[parent];
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1], heap[child])) child++;
      if (!isBefore(heap[child], last)) break;
      heap[at] = heap[child];
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || a.dueMs === b.dueMs && a.order < b.order;
}
