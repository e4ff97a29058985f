/**
 * Failures of the embedded control plane.
 *
 * @module
 */
import { AgentError, messageOf } from "../agent/system/agent_error.ts";

/** A file of the control plane's own state that cannot be used, and is not replaced on its own. */
export class StateFileError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param path the file
   * @param options `reason`: what is wrong; `remedy`: what to do about it
   */
  constructor(path: string, options: { reason: string; remedy: string; cause?: unknown }) {
    super(
      "CONTROL_PLANE_STATE_INVALID",
      `Read "${path}": ${options.reason}. ${options.remedy}`,
      { cause: options.cause },
    );
  }
}

/** The folder of objects cannot be read. */
export class ConfigDirError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param path the folder
   */
  constructor(path: string, cause: unknown) {
    super(
      "CONFIG_DIR_UNREADABLE",
      `Read the folder "${path}": ${messageOf(cause)}. Choose another one with --config-dir.`,
      { cause },
    );
  }
}

/** The gRPC address cannot be bound. */
export class GrpcListenError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param address `host:port`
   */
  constructor(address: string, cause: unknown) {
    super(
      "GRPC_LISTEN_FAILED",
      `Listen on ${address} for agents: ${
        messageOf(cause)
      }. Choose another address with --grpc-listen.`,
      { cause },
    );
  }
}

/** An address for machines that join cannot be bound. */
export class HttpsListenError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param address `host:port`
   * @param options `flag`: what chooses another one
   */
  constructor(address: string, { flag, error }: { flag: string; error: unknown }) {
    super(
      "HTTPS_LISTEN_FAILED",
      `Listen on ${address} for machines that join: ${
        messageOf(error)
      }. Choose another address with ${flag}.`,
      { cause: error },
    );
  }
}

/** A CSR that cannot be signed; the caller's fault. */
export class CsrError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param reason what is wrong with it
   */
  constructor(reason: string, cause?: unknown) {
    super("CSR_INVALID", `Sign the certificate request: ${reason}`, { cause });
  }
}
