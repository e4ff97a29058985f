/**
 * Whether a control plane takes this machine's token, asked before anything is changed on the machine.
 *
 * @module
 */
import { Metadata } from "@grpc/grpc-js";
import { channelError, isRefusal, openChannel } from "../mesh/control_plane_channel.ts";
import { MeshError } from "../mesh/errors.ts";
import { CREATE_CERTIFICATE } from "../mesh/protocol.ts";
import { AgentError } from "../system/agent_error.ts";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import { resolveBySystem } from "../system/system_resolver.ts";

/** How long the control plane may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * Asks with a request that nobody can sign: a control plane that takes the token refuses the request, and the
 * token is as good as before.
 *
 * @param address `host:port`
 * @param options PEM of the roots; the name in its certificate; what it is to take
 * @throws {AgentError} when the control plane cannot be reached, cannot prove itself or refuses the token
 */
export async function checkJoin(
  address: string,
  { roots, serverName, token, clock, files }: {
    roots: string;
    serverName: string;
    token: string;
    clock: Clock;
    files: Pick<Files, "readText">;
  },
): Promise<void> {
  const metadata = new Metadata();
  metadata.set("authorization", `Bearer ${token}`);
  const { path, requestSerialize, responseDeserialize } = CREATE_CERTIFICATE;
  try {
    const client = await openChannel({ address, serverName, roots: [roots] }, {
      files,
      // There is no agent yet that would ask.
      resolveHost: resolveBySystem,
    });
    try {
      await new Promise<void>((resolve, reject) => {
        const call = client.makeUnaryRequest(
          path,
          requestSerialize,
          responseDeserialize,
          { csr: "", validityDuration: 0 },
          metadata,
          (error) => {
            cancelTimeout();
            if (error === null) resolve();
            else reject(error);
          },
        );
        const cancelTimeout = clock.schedule(TIMEOUT_MS, () => call.cancel());
      });
    } finally {
      client.close();
    }
  } catch (error) {
    if (isRefusal(error)) {
      const { details } = error as { details?: string };
      throw new AgentError(
        "TOKEN_REFUSED",
        `The control plane ${address} refuses the token: ${details}. Make a new one: outrigger ` +
          "control-plane token create. Nothing was changed on this machine.",
      );
    }
    const { message, code } = error instanceof MeshError ? error : channelError(address, error);
    // Any other answer is one to the request, which is as it should be.
    if (code === "CONTROL_PLANE_REFUSES") return;
    const hint = code === "CONTROL_PLANE_UNTRUSTED"
      ? " Its certificate has expired (a restart makes another), is not of the root certificate that was " +
        "given, or this machine's clock is wrong."
      : "";
    const text = `${message}.${hint} Nothing was changed on this machine.`;
    throw new AgentError(code, text, { cause: error });
  }
}
