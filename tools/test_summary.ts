/**
 * The counts that `deno test` ends with.
 *
 * @module
 */

/** How many tests there were, by outcome. */
export interface TestCounts {
  /** Tests that passed. */
  passed: number;
  /** Tests that failed, modules that did not load among them. */
  failed: number;
  /** Tests that were not run. */
  skipped: number;
}

/** The counts of a whole run's output; undefined when the run has not come to its end. */
export function parseTestSummary(output: string): TestCounts | undefined {
  const steps = String.raw`(?: \(\d+ steps?\))?`;
  const line = new RegExp(
    String.raw`^(?:ok|FAILED) \| (\d+) passed${steps} \| (\d+) failed${steps}` +
      String.raw`(?: \| (\d+) ignored)?.*$`,
    "gm",
  );
  // The last one counts: what a test prints comes before it.
  const last = [...output.matchAll(line)].at(-1);
  if (last === undefined) return undefined;
  const [passed, failed, skipped] = last.slice(1).map((count) => Number(count ?? 0));
  return { passed, failed, skipped };
}
