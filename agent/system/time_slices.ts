/**
 * Long work in short slices, so that everything else of the event loop goes on in between.
 *
 * @module
 */
import { type Clock, sleep } from "./clock.ts";

/**
 * How long a slice may take, in milliseconds. What comes in between waits no longer than that; the pause
 * after it is the millisecond that the runtime's timers take.
 */
export const SLICE_MS = 2;

/** Runs a generator to its end; it yields wherever it can be left for a moment. */
export async function runInSlices<T>(steps: Generator<void, T>, clock: Clock): Promise<T> {
  for (let startedMs = clock.monotonicMs();;) {
    const { done, value } = steps.next();
    if (done) return value;
    if (clock.monotonicMs() - startedMs < SLICE_MS) continue;
    await sleep(clock, 0);
    startedMs = clock.monotonicMs();
  }
}
