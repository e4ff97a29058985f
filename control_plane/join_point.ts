/**
 * How machines join: where a control plane is reached, and the sums of all that a machine takes from it. The
 * control plane writes it down when it starts; who makes a token puts it into one line to paste.
 *
 * The first contact is authenticated without a public certificate: the line came from the control plane by
 * another way, and holds the sums of the script, of the certificate authority and of the list of sums. So it
 * does not matter that the first download trusts nobody.
 *
 * @module
 */
import { join } from "node:path";
import { z } from "zod";
import { AgentError, messageOf } from "../agent/system/agent_error.ts";
import type { Files } from "../agent/system/files.ts";
import { StateFileError } from "./errors.ts";
import type { Workload } from "./join_tokens.ts";

const FILE = "join.json";

const sha256 = z.string().regex(/^[0-9a-f]{64}$/);
/** What ends up in a command line is held to what needs no quoting there. */
const word = z.string().regex(/^[A-Za-z0-9.:[\]_-]+$/);
const schema = z.strictObject({
  version: z.literal(1),
  url: z.string().regex(/^https:\/\/[A-Za-z0-9.:[\]_-]+$/),
  plainUrl: z.string().regex(/^http:\/\/[A-Za-z0-9.:[\]_-]+$/).optional(),
  grpcAddress: word,
  scriptSha256: sha256,
  caSha256: sha256,
  sumsSha256: sha256,
  trustDomain: word,
  clusterDomain: word,
});

/** Where and how machines join. */
export interface JoinPoint {
  /** Of the HTTPS server, e.g. `https://cp.example.org:15443`. */
  url: string;
  /** The same by HTTP, for machines whose TLS is too old. */
  plainUrl?: string;
  /** `host:port` of the gRPC server. */
  grpcAddress: string;
  /** Of `install.sh`. */
  scriptSha256: string;
  /** Of `ca.pem`. */
  caSha256: string;
  /** Of `SHA256SUMS`. */
  sumsSha256: string;
  /** E.g. `cluster.local`. */
  trustDomain: string;
  /** E.g. `cluster.local`. */
  clusterDomain: string;
}

/**
 * Writes it down in a state folder.
 *
 * @param point undefined where machines cannot join by a line
 * @throws the disk's error
 */
export async function saveJoinPoint(
  stateDir: string,
  point: JoinPoint | undefined,
  files: Pick<Files, "writeAtomic" | "remove">,
): Promise<void> {
  if (point === undefined) return await files.remove(join(stateDir, FILE));
  const text = `${JSON.stringify({ version: 1, ...point }, null, 1)}\n`;
  await files.writeAtomic(join(stateDir, FILE), text, { mode: 0o600 });
}

/** Reads it. @throws {AgentError} when no control plane has written it, or the file is not usable */
export async function loadJoinPoint(
  stateDir: string,
  files: Pick<Files, "stat" | "readText">,
): Promise<JoinPoint> {
  const path = join(stateDir, FILE);
  if (await files.stat(path) === undefined) {
    throw new AgentError(
      "NO_JOIN_POINT",
      `There is no "${path}", which tells where machines join: start the control plane with this ` +
        "--state-dir first, and with a program to hand out (--binaries). To have the token alone: " +
        "--token-only.",
    );
  }
  try {
    return schema.parse(JSON.parse(await files.readText(path)));
  } catch (cause) {
    throw new StateFileError(path, {
      reason: `not where machines join: ${messageOf(cause).split("\n")[0]}`,
      remedy: "The control plane writes it anew when it starts.",
      cause,
    });
  }
}

/**
 * One line to paste into a root shell. It begins with a space, which keeps it out of the history of shells
 * that are told so (HISTCONTROL=ignorespace). The token goes by a pipe from a builtin: into no process's
 * arguments and no URL.
 */
export function joinLine(point: JoinPoint, options: { token: string; workload: Workload }): string {
  const {
    url,
    plainUrl,
    scriptSha256,
    caSha256,
    sumsSha256,
    grpcAddress,
    trustDomain,
    clusterDomain,
  } = point;
  const { token, workload: { namespace, serviceAccount } } = options;
  const script = `${url}/install.sh`;
  const flags = [
    `--url ${url}${
      plainUrl === undefined ? "" : ` --plain-url ${plainUrl}`
    } --ca-sha256 ${caSha256} --sums-sha256 ${sumsSha256} --token-stdin`,
    `--control-plane ${grpcAddress} --namespace ${namespace} --service-account ${serviceAccount}`,
    ...trustDomain === "cluster.local" ? [] : [`--trust-domain ${trustDomain}`],
    ...clusterDomain === "cluster.local" ? [] : [`--cluster-domain ${clusterDomain}`],
  ];
  return " (f=$(mktemp) && trap 'rm -f \"$f\"' EXIT && " +
    `if command -v curl >/dev/null; then curl -fsSk -o "$f" ${script}; ` +
    `else wget -q --no-check-certificate -O "$f" ${script}${
      plainUrl === undefined ? "" : ` || wget -q -O "$f" ${plainUrl}/install.sh`
    }; fi && ` +
    `{ echo "${scriptSha256}  $f" | sha256sum -c - >/dev/null 2>&1 || ` +
    "{ echo 'install.sh is not the one that this line is for: nothing was run' >&2; false; }; } && " +
    `printf %s ${token} | sh "$f" ${flags.join(" ")})`;
}
