/**
 * The token that a node joins with: read from its file at each use, never kept, never shown.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { MeshError } from "./errors.ts";

/** A token's file, and who it lets the node become. */
export interface TokenFile {
  /** Where it is. */
  path: string;
  /** Namespace of the node. */
  namespace: string;
  /** Service account of the node. */
  serviceAccount: string;
}

/**
 * Reads the token of a file.
 *
 * @throws {MeshError} `TOKEN_UNREADABLE` when there is none
 */
export async function readToken(
  file: TokenFile,
  files: Pick<Files, "readText">,
): Promise<string> {
  const { path } = file;
  const remedy = tokenRemedy(file);
  let token: string;
  try {
    token = (await files.readText(path)).trim();
  } catch (cause) {
    const message = `The token file cannot be read: ${messageOf(cause)}`;
    throw new MeshError("TOKEN_UNREADABLE", message, { remedy, cause });
  }
  if (token === "" || /[^\x21-\x7e]/.test(token)) {
    const what = token === "" ? "is empty" : "holds no token";
    throw new MeshError("TOKEN_UNREADABLE", `The token file "${path}" ${what}`, { remedy });
  }
  return token;
}

/** What to say of a token that the control plane refused. */
export function tokenRefused(
  token: string,
  { file, details, nowMs }: { file: TokenFile; details: string; nowMs: number },
): MeshError {
  const expiryMs = tokenExpiryMs(token);
  const remedy = tokenRemedy(file);
  if (expiryMs !== undefined && expiryMs <= nowMs) {
    return new MeshError(
      "TOKEN_EXPIRED",
      `The token expired at ${
        new Date(expiryMs).toISOString()
      }, and there is no valid certificate ` +
        "to renew with; names are served from memory and disk",
      { remedy },
    );
  }
  return new MeshError(
    "TOKEN_REFUSED",
    `The control plane refuses the token: ${details}; names are served from memory and disk`,
    { remedy },
  );
}

/** The `exp` of a JWT, milliseconds since 1970; undefined where the token is none. Not verified. */
export function tokenExpiryMs(token: string): number | undefined {
  try {
    const payload = token.split(".")[1].replaceAll("-", "+").replaceAll("_", "/");
    const { exp } = JSON.parse(atob(payload)) as { exp?: unknown };
    return typeof exp === "number" ? exp * 1000 : undefined;
  } catch {
    return undefined;
  }
}

function tokenRemedy({ path, namespace, serviceAccount }: TokenFile): string {
  return `Put a fresh token into ${path}, for which the agent looks by itself: ` +
    `kubectl create token ${serviceAccount} -n ${namespace} --audience istio-ca, ` +
    `or outrigger control-plane token create --token-only --namespace ${namespace} ` +
    `--service-account ${serviceAccount}.`;
}
