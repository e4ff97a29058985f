/**
 * The one base of errors that the environment causes (a file, a port, a peer). Each module's
 * `errors.ts` derives its own with its own codes. Outcomes of DNS are values, never errors.
 *
 * @module
 */

/** A failure of the environment, with a code that scripts may rely on. */
export class AgentError extends Error {
  /** Stable, upper snake case, e.g. `CONFIG_INVALID`. */
  readonly code: string;

  /**
   * Puts the failure into words.
   *
   * @param code stable identifier
   * @param message a sentence for people: what could not be done, to what, and what to do next
   * @param options `cause`: the error below this one
   */
  constructor(code: string, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** The message of anything that was thrown, with those of its causes, without a stack. */
export function messageOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const { message, cause } = thrown;
  if (!(cause instanceof Error) || message.includes(cause.message)) return message;
  return `${message}: ${messageOf(cause)}`;
}
