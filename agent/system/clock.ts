/**
 * Time, as a port: everything that waits or measures takes a {@link Clock}, so that tests move time by
 * hand. Owns the only uses of `performance.now`, `Date.now` and the timers.
 *
 * `performance.now` stands still while the machine is suspended (it reads CLOCK_MONOTONIC), and a TTL
 * that counts on it would outlive a night's sleep. The kernel's uptime does not stand still, and no
 * setting of the wall clock moves it, but it comes in whole seconds: it corrects the other.
 *
 * @module
 */
import { TimerQueue } from "./timer_queue.ts";

/** A source of time. Durations come from `monotonicMs`, points in calendar time from `wallMs`. */
export interface Clock {
  /** Milliseconds since an arbitrary origin; never goes back, and counts time asleep (CLOCK_BOOTTIME). */
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

/** How often time asleep is looked for, in milliseconds: the look costs 0.6 us. */
const SLEEP_CHECK_MS = 1_000;
/** What two roundings of the uptime may differ by; a shorter sleep is not noticed. */
const SLEEP_LEAST_MS = 2_000;

/**
 * A reading of time that counts the time asleep, noticed within {@link SLEEP_CHECK_MS} of being awake.
 *
 * @param awakeMs milliseconds that stand still while the machine is suspended
 * @param uptimeSeconds whole seconds that do not
 */
export function countingSleep(
  awakeMs: () => number,
  uptimeSeconds: () => number,
): () => number {
  let asleepMs = 0;
  let checkedMs = awakeMs();
  let lagMs = uptimeSeconds() * 1000 - checkedMs;
  return () => {
    const nowMs = awakeMs();
    if (nowMs - checkedMs >= SLEEP_CHECK_MS) {
      checkedMs = nowMs;
      const sleptMs = uptimeSeconds() * 1000 - nowMs - lagMs;
      if (sleptMs >= SLEEP_LEAST_MS) {
        asleepMs += sleptMs;
        lagMs += sleptMs;
      }
    }
    return nowMs + asleepMs;
  };
}

const timers = new TimerQueue({
  nowMs: () => performance.now(),
  set: (callback, delayMs) => setTimeout(callback, delayMs),
  clear: (timer) => clearTimeout(timer),
});

/** The clock of this machine. */
export const systemClock: Clock = {
  monotonicMs: countingSleep(() => performance.now(), () => Deno.osUptime()),
  wallMs: () => Date.now(),
  schedule: (delayMs, callback) => timers.schedule(delayMs, callback),
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
