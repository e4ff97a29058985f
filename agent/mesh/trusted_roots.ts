/**
 * What the control plane is trusted by: the roots of a file, read anew at each use.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { splitPem, vouchedRoots } from "./certificate.ts";
import { MeshError } from "./errors.ts";

/**
 * The roots of the file, and those among `kept` that one of these vouches for.
 *
 * @throws {MeshError} `ROOT_CERT_UNREADABLE` when the file holds none
 */
export async function readRoots(
  path: string,
  { files, kept, nowMs }: {
    files: Pick<Files, "readText">;
    kept: readonly string[];
    nowMs: number;
  },
): Promise<string[]> {
  let given: string[];
  try {
    given = splitPem([await files.readText(path)]);
  } catch (cause) {
    throw unreadable(path, messageOf(cause), cause);
  }
  if (given.length === 0) throw unreadable(path, "it holds no certificate");
  if (kept.length === 0) return given;
  return [...given, ...await vouchedRoots(kept, { roots: given, nowMs })];
}

function unreadable(path: string, reason: string, cause?: unknown): MeshError {
  return new MeshError(
    "ROOT_CERT_UNREADABLE",
    `The root certificates in "${path}" cannot be used: ${reason}`,
    {
      remedy: "Put the mesh's root certificate there (ConfigMap istio-ca-root-cert), or set " +
        "controlPlane.rootCert.",
      cause,
    },
  );
}
