/**
 * A plan: what will be done, and why. Made from facts alone, so that it can be shown before anything is
 * touched, and tested as a table. Pure.
 *
 * @module
 */
import type { Step } from "./steps.ts";

/** A thing that was found, and what follows from it. */
export interface TraceLine {
  /** What was found. */
  fact: string;
  /** What follows. */
  conclusion: string;
}

/** What will be done. */
export interface Plan {
  /** In order; each is undone by its inverse, in the opposite order. */
  steps: Step[];
  /** How it came about. */
  trace: TraceLine[];
  /** Why it must not be carried out; empty where it may. */
  refusals: string[];
  /** What somebody should know who carries it out. */
  warnings: string[];
}

/** A step for a folder that may be missing. */
export function folderStep(path: string, why: string): Step {
  return { kind: "make directory", path, mode: 0o755, why };
}
