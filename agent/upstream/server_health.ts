/**
 * What is known of one server's speed and life, and who comes first by it. Pure.
 *
 * @module
 */

/** Failures in a row after which a server counts as dead. */
export const FAILURES_UNTIL_DEAD = 3;
/** When a second server is asked at the earliest, in milliseconds: below that, waiting costs nothing. */
export const HEDGE_MIN_MS = 50;
/** When a second server is asked where the first was never heard of (unbound guesses 376 ms). */
export const HEDGE_UNKNOWN_MS = 376;
/** The first wait before a server that failed is probed, in milliseconds. */
export const PROBE_FIRST_MS = 1_000;
/** The longest wait between two probes, in milliseconds. */
export const PROBE_MAX_MS = 60_000;

/** How much a new round-trip time and its deviation count (RFC 6298 section 2). */
const SMOOTHING = 1 / 8;
const VARIATION_SMOOTHING = 1 / 4;

/** One server's round-trip times and failures. */
export class ServerHealth {
  #smoothedMs: number | undefined;
  #variationMs = 0;
  #failures = 0;
  #lastError = "";

  /** It answered, after so many milliseconds. Returns whether it had been dead. */
  answered(roundTripMs: number): boolean {
    const wasDead = this.isDead;
    if (this.#smoothedMs === undefined) {
      this.#smoothedMs = roundTripMs;
      this.#variationMs = roundTripMs / 2;
    } else {
      const deviationMs = Math.abs(this.#smoothedMs - roundTripMs);
      this.#variationMs += VARIATION_SMOOTHING * (deviationMs - this.#variationMs);
      this.#smoothedMs += SMOOTHING * (roundTripMs - this.#smoothedMs);
    }
    this.#failures = 0;
    this.#lastError = "";
    return wasDead;
  }

  /** It did not answer, or not usably. Returns whether that was its death. */
  failed(reason: string): boolean {
    this.#lastError = reason;
    return ++this.#failures === FAILURES_UNTIL_DEAD;
  }

  /** Whether it failed {@link FAILURES_UNTIL_DEAD} times in a row. */
  get isDead(): boolean {
    return this.#failures >= FAILURES_UNTIL_DEAD;
  }

  /** Failures since the last answer. */
  get failures(): number {
    return this.#failures;
  }

  /** The last failure; empty after an answer. */
  get lastError(): string {
    return this.#lastError;
  }

  /** Smoothed round-trip time in milliseconds; undefined before the first answer. */
  get roundTripMs(): number | undefined {
    return this.#smoothedMs;
  }

  /** How long it usually takes at most, in milliseconds: then a second server is asked as well. */
  get usualMaxMs(): number {
    if (this.#smoothedMs === undefined) return HEDGE_UNKNOWN_MS;
    return Math.max(HEDGE_MIN_MS, this.#smoothedMs + 4 * this.#variationMs);
  }
}

/**
 * Negative where a server with health `a` is asked before one with `b`: first those that answered last
 * time, the fastest first and unknown ones before all; then those that failed since, the fewest times
 * first. So the dead are last, and are asked all the same where nobody else is left.
 */
export function compareHealth(a: ServerHealth, b: ServerHealth): number {
  return a.failures - b.failures || (a.roundTripMs ?? 0) - (b.roundTripMs ?? 0);
}

/**
 * The wait before the next probe of a server that failed, after so many probes in vain: doubling, and
 * between half and the whole of that by `fraction` in [0, 1).
 */
export function probeDelayMs(probes: number, fraction: number): number {
  const fullMs = Math.min(PROBE_FIRST_MS * 2 ** Math.min(probes, 10), PROBE_MAX_MS);
  return fullMs * (0.5 + 0.5 * fraction);
}
