/**
 * What can go wrong when a VM is changed.
 *
 * @module
 */
import { AgentError } from "../agent/system/agent_error.ts";

/** A failure of {@link InstallError}. */
export type InstallErrorCode =
  /** The plan says that this VM cannot be changed so. */
  | "INSTALL_REFUSED"
  /** A step, or its inverse, failed. */
  | "STEP_FAILED"
  /** The agent runs, and does not get ready. */
  | "NOT_SERVING"
  /** The journal of what was changed cannot be read. */
  | "JOURNAL_DAMAGED"
  /** The upgrade cannot be made: a wrong sum, another architecture, a package. */
  | "UPGRADE_REFUSED"
  /** The new version did not do what it should, and the one of before runs again. */
  | "ROLLED_BACK";

/** The VM could not be changed, or given back. */
export class InstallError extends AgentError {
  /** Puts the failure into words. */
  constructor(code: InstallErrorCode, message: string, options?: { cause?: unknown }) {
    super(code, message, options);
  }
}
