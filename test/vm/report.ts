/**
 * What a tier measures, for whoever reads its output.
 *
 * @module
 */

/** Prints how long something took. */
export function report(what: string, ms: number): void {
  console.log(`${what}: ${ms < 10_000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}`);
}
