/**
 * Failures of the control-plane client.
 *
 * @module
 */
import { AgentError } from "../system/agent_error.ts";

/** Why no certificate could be had, or the control plane not be reached. */
export type MeshErrorCode =
  | "ROOT_CERT_UNREADABLE"
  | "TOKEN_UNREADABLE"
  | "TOKEN_EXPIRED"
  | "TOKEN_REFUSED"
  | "CERTIFICATE_REFUSED"
  | "CERTIFICATE_INVALID"
  | "CONTROL_PLANE_UNRESOLVED"
  | "CONTROL_PLANE_UNTRUSTED"
  | "CONTROL_PLANE_REFUSES"
  | "CONTROL_PLANE_UNREACHABLE";

/** A failure on the way to the control plane, with what to do about it. */
export class MeshError extends AgentError {
  /** What to do about it; empty where waiting is all. */
  readonly remedy: string;

  /**
   * Puts the failure into words.
   *
   * @param options `remedy`: empty unless given
   */
  constructor(
    code: MeshErrorCode,
    message: string,
    options: { remedy?: string; cause?: unknown } = {},
  ) {
    super(code, message, { cause: options.cause });
    this.remedy = options.remedy ?? "";
  }
}

/** Something that is wrong with the mesh, as status shows it. */
export interface MeshProblem {
  /** Stable code. */
  code: string;
  /** What is wrong. */
  message: string;
  /** What to do about it; empty where waiting is all. */
  remedy: string;
}
