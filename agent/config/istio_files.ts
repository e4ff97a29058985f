/**
 * The files that `istioctl x workload entry configure` writes for a VM, as settings: `cluster.env`,
 * `mesh.yaml`, `root-cert.pem`, `istio-token` and `hosts`. What wins over what is as in Istio's start
 * script and agent: cluster.env over mesh.yaml's proxyMetadata.
 *
 * Sources: istio istioctl/pkg/workload/workload.go, tools/packaging/common/istio-start.sh,
 * pilot/cmd/pilot-agent/options.
 *
 * @module
 */
import { isIP } from "node:net";
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { parseHostPort } from "../system/socket_address.ts";
import { parseConfigText } from "./config_text.ts";
import type { Override } from "./environment.ts";
import { parseShellVariables } from "./shell_variables.ts";

/** Stands for mesh.yaml's key among the variables; no variable has a dot in its name. */
const DISCOVERY_ADDRESS = "defaultConfig.discoveryAddress";
/** What an agent of Istio takes where nobody says otherwise. */
const DISCOVERY_ADDRESS_DEFAULT = "istiod.istio-system.svc:15012";

/** A text with its place, for messages. */
interface Placed {
  value: string;
  /** `FILE:LINE: NAME`. */
  source: string;
}

/** The part of mesh.yaml that matters here. */
const meshYaml = z.object({
  trustDomain: z.string().optional(),
  defaultConfig: z.object({
    discoveryAddress: z.string().optional(),
    proxyMetadata: z.record(
      z.string(),
      z.union([z.string(), z.number(), z.boolean()]).transform(String),
    ).optional(),
  }).optional(),
});

/** What is read of each variable: the key that it becomes, and which variables say it, the first first. */
const VARIABLES: readonly { path: string[]; names: string[] }[] = [
  { path: ["node", "name"], names: ["POD_NAME"] },
  { path: ["node", "namespace"], names: ["ISTIO_NAMESPACE", "POD_NAMESPACE"] },
  { path: ["node", "serviceAccount"], names: ["SERVICE_ACCOUNT"] },
  { path: ["node", "cluster"], names: ["ISTIO_META_CLUSTER_ID"] },
  { path: ["node", "network"], names: ["ISTIO_META_NETWORK"] },
  { path: ["node", "meshId"], names: ["ISTIO_META_MESH_ID"] },
  { path: ["node", "trustDomain"], names: ["TRUST_DOMAIN"] },
  { path: ["node", "address"], names: ["ISTIO_SVC_IP"] },
  {
    path: ["node", "workloadGroup"],
    names: ["ISTIO_META_AUTO_REGISTER_GROUP", "ISTIO_META_WORKLOAD_NAME"],
  },
  { path: ["controlPlane", "address"], names: ["PILOT_ADDRESS", DISCOVERY_ADDRESS] },
  { path: ["controlPlane", "caAddress"], names: ["CA_ADDR"] },
  { path: ["controlPlane", "certificateLife"], names: ["SECRET_TTL"] },
];

/**
 * Reads the files of a folder. Their paths stay as the folder was given.
 *
 * @returns settings, each with its place, and problems as `FILE:LINE: what is wrong`
 */
export async function readIstioFiles(
  folder: string,
  files: Pick<Files, "readText" | "stat">,
): Promise<{ settings: Override[]; problems: string[] }> {
  const path = (name: string) => join(folder, name);
  const exists = async (name: string) =>
    await files.stat(path(name)).catch(() => undefined) !== undefined;
  const variables = new Map<string, Placed>([
    [DISCOVERY_ADDRESS, { value: DISCOVERY_ADDRESS_DEFAULT, source: folder }],
  ]);
  const problems: string[] = [];
  const settings: Override[] = [];
  const set = (key: string[], value: unknown, source: string) =>
    settings.push({ path: key, value, source });

  let read = 0;
  for (const name of ["mesh.yaml", "cluster.env"]) {
    if (!await exists(name)) continue;
    read++;
    let text: string;
    try {
      text = await files.readText(path(name));
    } catch (error) {
      problems.push(`${path(name)}: cannot be read: ${messageOf(error)}`);
      continue;
    }
    const found = name === "mesh.yaml" ? readMeshYaml(text) : readClusterEnv(text);
    problems.push(...found.problems.map((problem) => `${path(name)}:${problem}`));
    for (const { name: variable, value, line } of found.variables) {
      if (value !== "") {
        variables.set(variable, { value, source: `${path(name)}:${line}: ${variable}` });
      }
    }
  }
  if (read === 0) {
    problems.push(
      `${folder}: holds neither cluster.env nor mesh.yaml; it must be the folder that ` +
        "istioctl x workload entry configure -o wrote",
    );
    return { settings, problems };
  }

  for (const { path: key, names } of VARIABLES) {
    const placed = names.map((name) => variables.get(name)).find((value) => value !== undefined);
    if (placed !== undefined) set(key, placed.value, placed.source);
  }
  const labels = variables.get("ISTIO_METAJSON_LABELS");
  if (labels !== undefined) {
    const parsed = z.record(z.string(), z.string()).safeParse(parsedJson(labels.value));
    if (parsed.success) set(["node", "labels"], parsed.data, labels.source);
    else problems.push(`${labels.source}: must be a JSON object of texts`);
  }
  // Also where another address is configured: the name in istiod's certificate stays this one.
  const { value: discoveryAddress, source } = settings.find(({ path }) =>
    path[1] === "address" && path[0] === "controlPlane"
  )!;
  const host = parseHostPort(String(discoveryAddress))?.host;
  if (host !== undefined && isIP(host) === 0) set(["controlPlane", "serverName"], host, source);
  set(["controlPlane", "rootCert"], path("root-cert.pem"), folder);
  set(["controlPlane", "token"], path("istio-token"), folder);
  if (await exists("hosts")) set(["controlPlane", "hosts"], path("hosts"), folder);
  return { settings, problems };
}

interface FoundVariables {
  variables: { name: string; value: string; line: number }[];
  /** `LINE: what is wrong`. */
  problems: string[];
}

function readClusterEnv(text: string): FoundVariables {
  const { variables, problems } = parseShellVariables(text);
  return { variables: [...variables.values()], problems };
}

function readMeshYaml(text: string): FoundVariables {
  const parsed = parseConfigText(text);
  if ("problems" in parsed) return { variables: [], problems: parsed.problems };
  const { values, lineOf } = parsed;
  const checked = meshYaml.safeParse(values);
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path, message }) =>
      `${lineOf(path) ?? 1}: ${path.join(".")}: ${message}`
    );
    return { variables: [], problems };
  }
  const { trustDomain = "", defaultConfig: { discoveryAddress = "", proxyMetadata = {} } = {} } =
    checked.data;
  const variable = (name: string, value: string, path: string[]) => ({
    name,
    value,
    line: lineOf(path) ?? 1,
  });
  return {
    variables: [
      variable("TRUST_DOMAIN", trustDomain, ["trustDomain"]),
      variable(DISCOVERY_ADDRESS, discoveryAddress, DISCOVERY_ADDRESS.split(".")),
      ...Object.entries(proxyMetadata)
        .map(([name, value]) => variable(name, value, ["defaultConfig", "proxyMetadata", name])),
    ],
    problems: [],
  };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
