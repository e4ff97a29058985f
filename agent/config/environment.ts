/**
 * `OUTRIGGER_*` variables as overrides of the configuration. Pure.
 *
 * @module
 */
import { configLeaves } from "./config_leaves.ts";

/** A value that overrides the file, with the name of its source for messages. */
export interface Override {
  /** Path of the key. */
  path: string[];
  /** Its value. */
  value: unknown;
  /** `OUTRIGGER_DNS_LISTEN` or `--dns-listen`. */
  source: string;
}

const PREFIX = "OUTRIGGER_";

/** The variable of a key: `dns.searchDomains` is `OUTRIGGER_DNS_SEARCH_DOMAINS`. */
export function variableOf(path: readonly string[]): string {
  return PREFIX +
    path.map((part) => part.replace(/[A-Z]/g, (letter) => `_${letter}`)).join("_").toUpperCase();
}

/**
 * The overrides of an environment. Lists are separated by commas, maps are `name=value` pairs separated
 * by commas.
 *
 * @returns the names of variables that begin with `OUTRIGGER_` and mean nothing, as `unknown`
 */
export function readEnvironment(
  environment: Record<string, string>,
): { overrides: Override[]; unknown: string[] } {
  const leaves = new Map(configLeaves().map((leaf) => [variableOf(leaf.path), leaf]));
  const overrides: Override[] = [];
  const unknown: string[] = [];
  for (const [name, text] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX)) continue;
    const leaf = leaves.get(name);
    if (leaf === undefined) {
      unknown.push(name);
      continue;
    }
    const items = text.split(",").map((item) => item.trim()).filter((item) => item !== "");
    const value = leaf.type === "array"
      ? items
      : leaf.type === "object"
      ? Object.fromEntries(items.map((item) => {
        const equals = item.indexOf("=");
        return equals === -1 ? [item, ""] : [item.slice(0, equals), item.slice(equals + 1)];
      }))
      : leaf.type === "boolean" && (text === "true" || text === "false")
      ? text === "true"
      : leaf.type === "integer" && /^\d+$/.test(text)
      ? Number(text)
      : text;
    overrides.push({ path: leaf.path, value, source: name });
  }
  return { overrides, unknown };
}
