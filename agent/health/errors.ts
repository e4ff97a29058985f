/**
 * Failures of the health endpoint and the control socket.
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

/** The control socket could not be opened. */
export class ControlListenError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param path of the socket
   */
  constructor(path: string, cause: unknown) {
    super(
      "CONTROL_LISTEN_FAILED",
      `Open the control socket ${path}: ${messageOf(cause)}. outrigger cache flush does not work ` +
        "until it can be; choose another path with control.socket, or another folder with stateDir.",
      { cause },
    );
  }
}
