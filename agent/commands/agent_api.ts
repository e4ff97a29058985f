/**
 * Asking a running agent, for the commands that only look.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import { AgentError } from "../system/agent_error.ts";
import type { CommandContext } from "./command_context.ts";

/** The address that is asked unless `--health` says otherwise. */
export const HEALTH_ADDRESS_DEFAULT = "127.0.0.1:15054";

/** No agent answers at the address. */
export class AgentUnreachableError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param address that was tried
   */
  constructor(address: string, cause: unknown) {
    super(
      "AGENT_UNREACHABLE",
      `No outrigger answers at http://${address}: ${messageOf(cause)}. ` +
        "Is it running (outrigger run, or systemctl status outrigger)? " +
        "Name another address with --health.",
      { cause },
    );
  }
}

/**
 * Asks for JSON.
 *
 * @param path with its query, e.g. `/api/v1/status`
 * @throws {AgentUnreachableError} when nobody answers
 * @throws {AgentError} with the agent's own words when it refuses
 */
export async function askAgent<T>(
  address: string,
  path: string,
  context: CommandContext,
): Promise<T> {
  let response: Response;
  try {
    response = await context.fetch(`http://${address}${path}`);
  } catch (cause) {
    throw new AgentUnreachableError(address, cause);
  }
  const body = await response.text();
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new AgentUnreachableError(
      address,
      `status ${response.status}, not the answer of an agent`,
    );
  }
  if (response.ok) return value as T;
  throw new AgentError("REQUEST_REFUSED", String((value as { error?: unknown }).error ?? body));
}
