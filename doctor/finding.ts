/**
 * What came of one check.
 *
 * @module
 */

/** How a check ended. */
export type FindingResult = "ok" | "warning" | "failed" | "skipped";

/** One check. Fields are added, never renamed: `outrigger doctor --json` prints it. */
export interface Finding {
  /** Which check it was, e.g. `resolv.conf`. */
  check: string;
  /** How it ended. */
  result: FindingResult;
  /** What was seen, in words; of a check that was skipped, why. */
  evidence: string;
  /** What to do next, with a command where there is one; empty where nothing is to be done. */
  remedy: string;
}

/** All is as it should be. */
export function ok(check: string, evidence: string): Finding {
  return { check, result: "ok", evidence, remedy: "" };
}

/** Lookups work, and somebody should look at it all the same. */
export function warning(check: string, evidence: string, remedy: string): Finding {
  return { check, result: "warning", evidence, remedy };
}

/** Lookups fail, or will. */
export function failed(check: string, evidence: string, remedy: string): Finding {
  return { check, result: "failed", evidence, remedy };
}

/** It could not be looked at. @param remedy e.g. to ask again as root */
export function skipped(check: string, reason: string, remedy = ""): Finding {
  return { check, result: "skipped", evidence: reason, remedy };
}
