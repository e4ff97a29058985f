/**
 * Asking a running agent: its health endpoint, for the commands that only look, and its control socket,
 * for those that change something.
 *
 * @module
 */
import { AgentError, messageOf } from "../system/agent_error.ts";
import type { CommandContext } from "./command_context.ts";

/** The address that is asked unless `--health` says otherwise. */
export const HEALTH_ADDRESS_DEFAULT = "127.0.0.1:15054";

/** The control socket that is asked unless `--socket` says otherwise. */
export const CONTROL_SOCKET_DEFAULT = "/var/lib/outrigger/control.sock";

/** No agent answers. */
export class AgentUnreachableError extends AgentError {
  /**
   * Puts the failure into words.
   *
   * @param place that was tried
   * @param options `remedy`: how to name another place
   */
  constructor(place: string, { cause, remedy }: { cause: unknown; remedy: string }) {
    super(
      "AGENT_UNREACHABLE",
      `No outrigger answers at ${place}: ${messageOf(cause)}. ` +
        `Is it running (outrigger run, or systemctl status outrigger)? ${remedy}`,
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
  const unreachable = (cause: unknown) =>
    new AgentUnreachableError(`http://${address}`, {
      cause,
      remedy: "Name another address with --health.",
    });
  let response: Response;
  try {
    response = await context.fetch(`http://${address}${path}`);
  } catch (cause) {
    throw unreachable(cause);
  }
  return await answerOf(response, unreachable);
}

/**
 * Asks a control socket for something to be done.
 *
 * @param target with its query, e.g. `/v1/cache/flush?name=example.org`
 * @throws {AgentUnreachableError} when nobody answers
 * @throws {AgentError} where this user may not ask, and with the agent's own words when it refuses
 */
export async function tellAgent<T>(
  socket: string,
  target: string,
  context: CommandContext,
): Promise<T> {
  const unreachable = (cause: unknown) =>
    new AgentUnreachableError(socket, {
      cause,
      remedy: "Name its socket with --socket: control.socket of its configuration, or else " +
        "control.sock in its stateDir.",
    });
  let response: Response;
  try {
    response = await context.control(socket, target);
  } catch (cause) {
    if ((cause as { code?: unknown }).code !== "EACCES") throw unreachable(cause);
    throw new AgentError(
      "CONTROL_DENIED",
      `Connect to ${socket}: permission denied. Only the agent's own user and root may change ` +
        "what it does: try again with sudo.",
      { cause },
    );
  }
  return await answerOf(response, unreachable);
}

async function answerOf<T>(
  response: Response,
  unreachable: (cause: unknown) => AgentError,
): Promise<T> {
  const body = await response.text();
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw unreachable(`status ${response.status}, not the answer of an agent`);
  }
  if (response.ok) return value as T;
  throw new AgentError("REQUEST_REFUSED", String((value as { error?: unknown }).error ?? body));
}
