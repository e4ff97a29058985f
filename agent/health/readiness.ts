/**
 * What the agent still waits for before it is ready: a named task for each part, so that "not ready"
 * always comes with its reason.
 *
 * @module
 */

/** One thing that is waited for. */
export interface ReadinessTask {
  /** It has come; further calls change nothing. */
  done(): void;
}

/** The tasks of one agent. */
export class Readiness {
  readonly #waiting = new Map<string, string>();

  /**
   * Makes the agent wait.
   *
   * @param name short, unique
   * @param waitingFor what for, in words
   */
  task(name: string, waitingFor: string): ReadinessTask {
    this.#waiting.set(name, waitingFor);
    return { done: () => void this.#waiting.delete(name) };
  }

  /** What is waited for, `name: words`; empty when ready. */
  waitingFor(): string[] {
    return [...this.#waiting].map(([name, words]) => `${name}: ${words}`);
  }
}
