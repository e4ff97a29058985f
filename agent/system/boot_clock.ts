/**
 * The one time that all threads of the process read alike: a worker's `performance.now()` has an origin
 * of its own.
 *
 * @module
 */
import { libc } from "./libc.ts";

const CLOCK_BOOTTIME = 7;
/** A `struct timespec`: seconds in two halves, nanoseconds, padding. */
const timespec = new Uint32Array(new ArrayBuffer(16));

/**
 * Milliseconds since the machine was booted, time asleep included; the same in every thread.
 *
 * @throws AgentError where there is no C library
 */
export function bootTimeMs(): number {
  libc().call.clock_gettime(CLOCK_BOOTTIME, timespec);
  return (timespec[1] * 0x1_0000_0000 + timespec[0]) * 1e3 + timespec[2] / 1e6;
}
