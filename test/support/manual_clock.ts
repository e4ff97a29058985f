/**
 * A clock that tests move by hand.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Clock } from "../../agent/system/clock.ts";

/** Both times start at a fixed instant; callbacks run in the order of their due time. */
export class ManualClock implements Clock {
  #elapsedMs = 0;
  #wallOriginMs: number;
  #pending: { dueMs: number; callback: () => void }[] = [];

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
    const entry = { dueMs: this.#elapsedMs + Math.max(0, delayMs), callback };
    this.#pending.push(entry);
    return () => {
      this.#pending = this.#pending.filter((other) => other !== entry);
    };
  }

  /** How many callbacks wait. */
  get pendingCount(): number {
    return this.#pending.length;
  }

  /** Lets `ms` pass: runs what falls due, each at its own time, and lets promises settle in between. */
  async advance(ms: number): Promise<void> {
    const endMs = this.#elapsedMs + ms;
    await settle();
    for (;;) {
      const next = this.#pending
        .filter((entry) => entry.dueMs <= endMs)
        .sort((a, b) => a.dueMs - b.dueMs)[0];
      if (next === undefined) break;
      this.#pending = this.#pending.filter((entry) => entry !== next);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.dueMs);
      next.callback();
      await settle();
    }
    this.#elapsedMs = endMs;
    await settle();
  }

  /** Makes the wall clock jump, as an operator or NTP does; the monotonic clock does not notice. */
  jumpWall(ms: number): void {
    this.#wallOriginMs += ms;
  }
}

/** Lets every promise that can settle now do so. A timer of 0 ms would take a whole one, 10 times here. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));
}
