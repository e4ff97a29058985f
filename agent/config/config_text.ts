/**
 * From the text of a configuration to its values, with the line of each problem. Pure.
 *
 * @module
 */
import { isMap, isNode, LineCounter, parseDocument } from "yaml";
import type { z } from "zod";
import { configSchema } from "./config.ts";

/** A text that was read. */
export interface ConfigText {
  /** What it says; not checked. Empty for an empty text. */
  values: Record<string, unknown>;
  /** The line of a key, or of the nearest one above it; undefined where the text does not name it. */
  lineOf(path: readonly PropertyKey[]): number | undefined;
}

/**
 * Reads YAML (and so JSON).
 *
 * @returns problems as `LINE: what is wrong` when it is not YAML, or no mapping
 */
export function parseConfigText(text: string): ConfigText | { problems: string[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
  });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) =>
      `${lines.linePos(error.pos[0]).line}: not YAML: ${error.message}`
    );
    return { problems };
  }
  let values: unknown;
  try {
    values = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    return { problems: [`1: not usable YAML: ${(error as Error).message}`] };
  }
  if (values === null || values === undefined) values = {};
  else if (!isMap(document.contents)) {
    return { problems: ["1: must be a mapping of keys to values"] };
  }
  return {
    values: values as Record<string, unknown>,
    lineOf(path) {
      for (let length = path.length; length > 0; length--) {
        const offset = offsetOf(document.contents, path.slice(0, length));
        if (offset !== undefined) return lines.linePos(offset).line;
      }
      return undefined;
    },
  };
}

/** Where the key (in a list the element) at `path` stands. */
function offsetOf(root: unknown, path: readonly PropertyKey[]): number | undefined {
  let node = root;
  for (let i = 0; i < path.length; i++) {
    if (!isNode(node) || !("items" in node)) return undefined;
    const items = node.items as { key?: { value?: unknown; range?: number[] }; value?: unknown }[];
    const item = isMap(node)
      ? items.find(({ key }) => String(key?.value) === String(path[i]))
      : items[Number(path[i])];
    if (item === undefined) return undefined;
    if (i === path.length - 1) {
      return (isMap(node) ? item.key?.range : (item as { range?: number[] }).range)?.[0];
    }
    node = isMap(node) ? item.value : item;
  }
  return undefined;
}

/** One problem of a configuration's values. */
export interface ConfigProblem {
  /** Where. */
  path: readonly PropertyKey[];
  /** What is wrong and what is allowed. */
  message: string;
}

/** What zod found wrong, in words. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): ConfigProblem[] {
  return issues.flatMap((issue): ConfigProblem[] => {
    switch (issue.code) {
      case "unrecognized_keys":
        return issue.keys.map((key) => ({
          path: [...issue.path, key],
          message: unknownKey(key, allowedKeys(issue.path)),
        }));
      case "invalid_type":
        return [{ path: issue.path, message: `must be ${withArticle(issue.expected)}` }];
      case "invalid_value":
        return [{ path: issue.path, message: `must be one of ${issue.values.join(", ")}` }];
      case "too_small":
        return [{ path: issue.path, message: "must not be empty" }];
      default:
        return [{ path: issue.path, message: issue.message }];
    }
  });
}

function withArticle(expected: string): string {
  const words: Record<string, string> = {
    object: "a mapping of keys to values",
    array: "a list",
    record: "a mapping of names to texts",
    string: "a text",
  };
  return words[expected] ?? `a ${expected}`;
}

function unknownKey(key: string, allowed: string[]): string {
  const nearest = allowed.find((other) =>
    editDistance(key.toLowerCase(), other.toLowerCase()) <= 2
  );
  const hint = nearest === undefined ? "" : `; did you mean "${nearest}"?`;
  return `unknown key; allowed here: ${allowed.join(", ")}${hint}`;
}

/** The keys of the mapping at `path`, from the schema. */
function allowedKeys(path: readonly PropertyKey[]): string[] {
  let schema: unknown = configSchema;
  for (const key of path) schema = unwrap(shapeOf(schema)?.[String(key)]);
  return Object.keys(shapeOf(schema) ?? {});
}

function shapeOf(schema: unknown): Record<string, unknown> | undefined {
  return (unwrap(schema) as { shape?: Record<string, unknown> } | undefined)?.shape;
}

/** The schema within defaults, optionals and transforms. */
function unwrap(schema: unknown): unknown {
  let inner = schema as { def?: { innerType?: unknown; in?: unknown } } | undefined;
  while (inner?.def !== undefined && (inner.def.innerType ?? inner.def.in) !== undefined) {
    inner = (inner.def.innerType ?? inner.def.in) as typeof inner;
  }
  return inner;
}

/** Levenshtein distance, for keys of a few letters. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      current[j] = Math.min(
        previous[j] + 1,
        current[j - 1] + 1,
        previous[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1),
      );
    }
    previous = current;
  }
  return previous[b.length];
}
