/**
 * The configuration from all its sources: the files of Istio, then the configuration file, then the
 * environment, then flags; later ones win.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { type Config, CONFIG_FILE_DEFAULT, configSchema } from "./config.ts";
import type { ConfigText } from "./config_text.ts";
import { type Override, readEnvironment } from "./environment.ts";
import { ConfigError } from "./errors.ts";

/** Where a configuration comes from. */
export interface ConfigSources {
  /** Path that was asked for; the default path, which may be absent, unless given. */
  file?: string;
  /** The environment variables. */
  environment: Record<string, string>;
  /** Values of flags. */
  flags: readonly Override[];
  /** Becomes `node.name` unless that is given. */
  hostname: string;
  /** Reads the file. */
  files: Pick<Files, "readText" | "stat">;
}

/**
 * Loads and checks it.
 *
 * @throws {ConfigError} listing every problem with its place
 */
export async function loadConfig(sources: ConfigSources): Promise<Config> {
  const file = sources.file ?? CONFIG_FILE_DEFAULT;
  const text = await readConfigFile(file, sources);
  const { overrides: variables, unknown } = readEnvironment(sources.environment);
  const overrides = [...variables, ...sources.flags];
  const problems = unknown.map((name) =>
    `${name}: no such setting; see the configuration table in the README`
  );
  const values = structuredClone(text.values);
  for (const override of overrides) setAt(values, override, problems);
  const { settings, problems: fromProblems } = await readFrom(values.from, sources);
  problems.push(...fromProblems);
  const checked = configSchema.safeParse(withSettings(values, settings));
  if (!checked.success) {
    const { describeIssues } = await import("./config_text.ts");
    for (const { path, message } of describeIssues(checked.error.issues)) {
      const place = placeOf(path, { file, text, values, overrides, settings });
      problems.push(`${place}${path.join(".")}: ${message}`);
    }
  } else if (checked.data.controlPlane === undefined && checked.data.names.files.length === 0) {
    problems.push(
      `${file}: there are no names to serve: set controlPlane.address (--control-plane HOST:PORT) ` +
        "or names.files (--names FILE), or join an Istio mesh with the files of istioctl " +
        "(--from DIR)",
    );
  }
  if (problems.length > 0) throw new ConfigError(problems);
  const { data } = checked as { data: ReturnType<typeof configSchema.parse> };
  return { ...data, node: { ...data.node, name: data.node.name ?? nodeName(sources.hostname) } };
}

async function readConfigFile(file: string, sources: ConfigSources): Promise<ConfigText> {
  const isDefault = sources.file === undefined;
  if (isDefault && await sources.files.stat(file).catch(() => undefined) === undefined) {
    return { values: {}, lineOf: () => undefined };
  }
  let content: string;
  try {
    content = await sources.files.readText(file);
  } catch (error) {
    throw new ConfigError([`${file}: cannot be read: ${messageOf(error)}`]);
  }
  // YAML is read where there is some: 10 ms of the start.
  const { parseConfigText } = await import("./config_text.ts");
  const text = parseConfigText(content);
  if ("problems" in text) {
    throw new ConfigError(text.problems.map((problem) => `${file}:${problem}`));
  }
  return text;
}

/** What the files of Istio say, where `from` names their folder. */
async function readFrom(
  from: unknown,
  { files }: ConfigSources,
): Promise<{ settings: readonly Override[]; problems: readonly string[] }> {
  if (typeof from !== "string") return { settings: [], problems: [] };
  const { readIstioFiles } = await import("./istio_files.ts");
  return await readIstioFiles(from, files);
}

/** Puts an override into the values; a value in its way that is no mapping is a problem of its own. */
function setAt(values: Record<string, unknown>, override: Override, problems: string[]): void {
  let target = values;
  for (const key of override.path.slice(0, -1)) {
    const present = target[key] ?? (target[key] = {});
    if (typeof present !== "object" || Array.isArray(present)) {
      problems.push(`${override.source}: "${key}" in the file is no mapping of keys to values`);
      return;
    }
    target = present as Record<string, unknown>;
  }
  const key = override.path.at(-1)!;
  // One address stands for the list that a flag gives, and the other way round.
  if (override.path[0] === "controlPlane" && key === "addresses") delete target.address;
  if (override.path[0] === "controlPlane" && key === "address") delete target.addresses;
  target[key] = override.value;
}

/** The settings that Istio's files give, with everything else that is configured above them. */
function withSettings(
  values: Record<string, unknown>,
  settings: readonly Override[],
): Record<string, unknown> {
  const merged: Record<string, unknown> = {};
  for (const setting of settings) setAt(merged, setting, []);
  for (const [section, value] of Object.entries(values)) {
    const base = merged[section];
    merged[section] = isMapping(base) && isMapping(value) ? { ...base, ...value } : value;
  }
  // Addresses that are configured take the place of the one in the files.
  const { controlPlane } = values;
  if (isMapping(controlPlane) && controlPlane.addresses !== undefined) {
    const { address } = controlPlane;
    merged.controlPlane = { ...merged.controlPlane as Record<string, unknown>, address };
  }
  return merged;
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** `--flag: `, `VARIABLE: `, `FILE:LINE: ` or `FILE: `: who said what is wrong. */
function placeOf(
  path: readonly PropertyKey[],
  { file, text, values, overrides, settings }: {
    file: string;
    text: ConfigText;
    values: Record<string, unknown>;
    overrides: readonly Override[];
    settings: readonly Override[];
  },
): string {
  const says = (override: Override) => override.path.every((key, i) => key === path[i]);
  const override = overrides.findLast(says);
  if (override !== undefined) return `${override.source}: `;
  const section = values[String(path[0])];
  if (!isMapping(section) || section[String(path[1])] === undefined) {
    const setting = settings.find(says);
    if (setting !== undefined) return `${setting.source}: `;
  }
  const line = text.lineOf(path);
  return line === undefined ? `${file}: ` : `${file}:${line}: `;
}

/** A host name as a node's name: cut to what is allowed there. */
function nodeName(hostname: string): string {
  return hostname.replace(/[^A-Za-z0-9._-]/g, "-").replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "") ||
    "vm";
}
