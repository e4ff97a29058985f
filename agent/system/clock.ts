/**
 * Time, as a port: everything that waits or measures takes a {@link Clock}, so that tests move time by
 * hand. Owns the only uses of `performance.now`, `Date.now` and the timers.
 *
 * @module
 */

/** A source of time. Durations come from `monotonicMs`, points in calendar time from `wallMs`. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back. */
  monotonicMs(): number;
  /** Milliseconds since 1970-01-01 UTC; may jump. Only for dates that others gave (certificates, tokens). */
  wallMs(): number;
  /**
   * Calls `callback` once after `delayMs` milliseconds.
   *
   * @returns a function that cancels the call; harmless after it ran
   */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** The largest delay that the runtime's timers take (2^31 - 1 ms, 24.8 days); longer ones fire at once. */
const MAX_DELAY_MS = 0x7fffffff;

/** The clock of this machine. */
export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, Math.min(Math.max(0, delayMs), MAX_DELAY_MS));
    return () => clearTimeout(timer);
  },
};

/**
 * Waits for `delayMs` milliseconds.
 *
 * @throws the signal's reason as soon as `signal` is aborted
 */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason);
      return;
    }
    const cancel = clock.schedule(delayMs, () => {
      signal?.removeEventListener("abort", abort);
      resolve();
    });
    function abort() {
      cancel();
      reject(signal!.reason);
    }
    signal?.addEventListener("abort", abort, { once: true });
  });
}
