/**
 * How long to wait before the next try. Pure.
 *
 * @module
 */
import type { Random } from "../system/random.ts";

/** The first delay, in milliseconds. */
export const BACKOFF_FIRST_MS = 1_000;
/** The longest delay, in milliseconds. */
export const BACKOFF_MAX_MS = 30_000;

/**
 * The delay after so many failures in a row: doubling, and between half and the whole of that at random,
 * so that a fleet does not come back all at once.
 */
export function backoffMs(failures: number, random: Random): number {
  const fullMs = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(failures, 10), BACKOFF_MAX_MS);
  return fullMs * (0.5 + 0.5 * random.fraction());
}
