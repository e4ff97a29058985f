/**
 * The configuration that `outrigger install` puts on a machine, from its flags.
 *
 * @module
 */
import { join } from "node:path";
import { parseDocument } from "yaml";
import { CONFIG_FILE_DEFAULT } from "../config/config.ts";
import { AgentError, messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { CONFIG_FOLDER, type ConfigFile } from "../../installer/install_plan.ts";

/** The flags that the configuration comes from. */
export interface InstallConfigFlags {
  /** A configuration to take over. */
  config?: string;
  /** The folder of `istioctl x workload entry configure`. */
  from?: string;
  /** `host:port`. */
  controlPlane?: string;
  /** The token's file. */
  tokenFile?: string;
  /** The file of the root certificates. */
  rootCert?: string;
  /** Who this machine is to become. */
  namespace?: string;
  /** Likewise. */
  serviceAccount?: string;
  /** Trust domain of the mesh. */
  trustDomain?: string;
  /** Domain of the cluster. */
  clusterDomain?: string;
  /** How lookups are sent to the agent. */
  capture?: string;
  /** Whether containers are answered too. */
  containers?: boolean;
}

/** The flags whose value is a key's. */
const VALUES: readonly [flag: keyof InstallConfigFlags, key: string[]][] = [
  ["namespace", ["node", "namespace"]],
  ["serviceAccount", ["node", "serviceAccount"]],
  ["trustDomain", ["node", "trustDomain"]],
  ["clusterDomain", ["dns", "clusterDomain"]],
  ["containers", ["capture", "containers"]],
  ["capture", ["capture", "mode"]],
];

/** The files that istioctl writes; the last two may be missing. */
const ISTIO_FILES = ["cluster.env", "mesh.yaml", "root-cert.pem", "istio-token", "hosts"];
const ISTIO_FOLDER = `${CONFIG_FOLDER}/vm`;
const HEADER = "# Made by `outrigger install`. Edit it and reload: systemctl reload outrigger.\n";

/**
 * Makes the files. Where there is a configuration already, it stays but for what flags say.
 *
 * @returns those that are to be there; none where no flag changes anything
 * @throws {AgentError} when a file that a flag names cannot be read
 */
export async function installConfig(
  flags: InstallConfigFlags,
  files: Pick<Files, "readText" | "stat">,
): Promise<ConfigFile[]> {
  const { config, from, controlPlane, tokenFile, rootCert } = flags;
  const extra: ConfigFile[] = [];
  const changes: [path: string[], value: unknown][] = [];
  if (from !== undefined) {
    for (const name of ISTIO_FILES) {
      const path = join(from, name);
      if (await files.stat(path).catch(() => undefined) === undefined) continue;
      extra.push({ path: `${ISTIO_FOLDER}/${name}`, text: await read(path, files) });
    }
    if (extra.length === 0) {
      throw new AgentError(
        "USAGE",
        `${from} holds none of ${ISTIO_FILES.join(", ")}: name the folder that ` +
          "istioctl x workload entry configure wrote.",
      );
    }
    changes.push([["from"], ISTIO_FOLDER]);
  }
  if (controlPlane !== undefined) changes.push([["controlPlane", "addresses"], [controlPlane]]);
  if (tokenFile !== undefined) {
    const path = `${CONFIG_FOLDER}/istio-token`;
    extra.push({ path, text: await read(tokenFile, files) });
    changes.push([["controlPlane", "token"], path]);
  }
  if (rootCert !== undefined) {
    const path = `${CONFIG_FOLDER}/root-cert.pem`;
    extra.push({ path, text: await read(rootCert, files) });
    changes.push([["controlPlane", "rootCert"], path]);
  }
  for (const [flag, key] of VALUES) {
    if (flags[flag] !== undefined) changes.push([key, flags[flag]]);
  }
  if (changes.length === 0 && config === undefined) return [];
  const present = await files.readText(CONFIG_FILE_DEFAULT).catch(() => undefined);
  const text = config === undefined ? present ?? HEADER : await read(config, files);
  return [...extra, { path: CONFIG_FILE_DEFAULT, text: withChanges(text, changes) }];
}

/** The text with some keys set; comments, order and everything else stay. */
function withChanges(text: string, changes: readonly [path: string[], value: unknown][]): string {
  const document = parseDocument(text);
  // What cannot be parsed is told with its line when it is checked.
  if (document.errors.length > 0) return text;
  const before = JSON.stringify(document.toJS());
  for (const [path, value] of changes) {
    const other = ["controlPlane", "address"];
    // Where there is nothing at all yet, there is nothing to delete from.
    if (path.join(".") === "controlPlane.addresses" && document.hasIn(other)) {
      document.deleteIn(other);
    }
    document.setIn(path, value);
  }
  return JSON.stringify(document.toJS()) === before ? text : document.toString();
}

async function read(path: string, files: Pick<Files, "readText">): Promise<string> {
  try {
    return await files.readText(path);
  } catch (cause) {
    throw new AgentError("FILE_UNREADABLE", `Read ${path}: ${messageOf(cause)}`, { cause });
  }
}
