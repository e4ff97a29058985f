/**
 * The configuration's schema as JSON Schema, and its keys one by one: what the published schema file, the
 * environment variables and the README's table are made from. Pure.
 *
 * @module
 */
import * as z from "zod";
import { configSchema } from "./config.ts";

/** One key that holds a value and not more keys. */
export interface ConfigLeaf {
  /** E.g. `["dns", "listen"]`. */
  path: string[];
  /** JSON type: `string`, `boolean`, `array` or `object`. */
  type: string;
  /** What it means. */
  description: string;
  /** Unless given; undefined where there is none. */
  default?: unknown;
}

interface JsonSchema {
  type?: string;
  description?: string;
  default?: unknown;
  enum?: unknown[];
  properties?: Record<string, JsonSchema>;
}

/** The JSON Schema (draft 2020-12) of the configuration file. */
export function configJsonSchema(): Record<string, unknown> {
  return {
    title: "outrigger configuration",
    ...z.toJSONSchema(configSchema, { io: "input" }) as Record<string, unknown>,
  };
}

/** Every key that holds a value, in the order of the schema. */
export function configLeaves(): ConfigLeaf[] {
  return leavesOf(configJsonSchema() as JsonSchema, []);
}

function leavesOf(schema: JsonSchema, path: string[]): ConfigLeaf[] {
  if (schema.properties !== undefined) {
    return Object.entries(schema.properties)
      .flatMap(([key, value]) => leavesOf(value, [...path, key]));
  }
  return [{
    path,
    type: schema.type ?? "string",
    description: schema.description ?? "",
    ...(schema.default !== undefined && { default: schema.default }),
  }];
}
