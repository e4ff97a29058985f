/**
 * What the process ends with. Scripts rely on these numbers.
 *
 * @module
 */

/** Exit codes by meaning. */
export const ExitCode = {
  /** Done, and all is well. */
  OK: 0,
  /** It failed; standard error says why. For `status` and `doctor`: something is wrong. */
  FAILURE: 1,
  /** The command line is wrong. */
  USAGE: 2,
  /** The configuration is wrong. */
  CONFIG: 3,
  /** No agent answers. */
  UNREACHABLE: 4,
} as const;

/** The table for `--help`. */
export const EXIT_CODES_HELP = `Exit codes:
  0  done
  1  failed, or (status, doctor) something is wrong, or (lookup) the name has no answer
  2  wrong command line
  3  wrong configuration
  4  no agent answers`;
