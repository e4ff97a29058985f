/**
 * Writes agent/config/config.schema.json from the schema in agent/config/config.ts.
 *
 * @module
 */
import { configJsonSchema } from "../agent/config/config_leaves.ts";

const target = new URL("../agent/config/config.schema.json", import.meta.url);
await Deno.writeTextFile(target, `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
