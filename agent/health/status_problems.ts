/**
 * What is wrong with the agent's parts, as `outrigger status` tells it: one problem a part, until it is
 * mended.
 *
 * @module
 */
import type { Logger } from "../system/log.ts";
import type { StatusProblem } from "./api.ts";

/** The problems that are known. */
export class StatusProblems {
  readonly #log: Pick<Logger, "warn">;
  readonly #byPart = new Map<string, StatusProblem>();

  /** Knows none yet; each new one is logged. */
  constructor(log: Pick<Logger, "warn">) {
    this.#log = log;
  }

  /** Says what is wrong with a part; undefined where nothing is any more. */
  set(part: string, problem: StatusProblem | undefined): void {
    if (problem === undefined) {
      this.#byPart.delete(part);
      return;
    }
    this.#byPart.set(part, problem);
    this.#log.warn(problem.message, { remedy: problem.remedy });
  }

  /** All of them. */
  list(): StatusProblem[] {
    return [...this.#byPart.values()];
  }
}
