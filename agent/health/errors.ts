/**
 * Failures of the health endpoint.
 *
 * @module
 */
import { AgentError, messageOf } from "../system/agent_error.ts";
import { formatSocketAddress, type SocketAddress } from "../system/socket_address.ts";

/** The health endpoint's address could not be bound. */
export class HealthListenError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param address what could not be bound
   */
  constructor(address: SocketAddress, cause: unknown) {
    super(
      "HEALTH_LISTEN_FAILED",
      `Listen on ${formatSocketAddress(address)} for health: ${messageOf(cause)}. ` +
        "Choose another address with health.listen or --health-listen.",
      { cause },
    );
  }
}
