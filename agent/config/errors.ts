/**
 * Failures of the configuration.
 *
 * @module
 */
import { AgentError } from "../system/agent_error.ts";

/** A configuration that cannot be used: each problem with its place and what is allowed. */
export class ConfigError extends AgentError {
  /** One a line: `FILE:LINE: key: what is wrong`. */
  readonly problems: readonly string[];

  /**
   * Puts the failure into words.
   *
   * @param problems at least one
   */
  constructor(problems: readonly string[]) {
    super("CONFIG_INVALID", problems.join("\n"));
    this.problems = problems;
  }
}
