import assert from "node:assert/strict";
import { configJsonSchema, configLeaves } from "./config_leaves.ts";
import { variableOf } from "./environment.ts";

Deno.test("config.schema.json is what the schema says (deno run -A tools/write_schema.ts)", async () => {
  const committed = await Deno.readTextFile(new URL("config.schema.json", import.meta.url));
  assert.deepEqual(JSON.parse(committed), configJsonSchema());
});

Deno.test("configLeaves() describes each key, and no two share a variable", () => {
  const leaves = configLeaves();
  assert.ok(leaves.length > 25);
  for (const { path, description } of leaves) assert.match(description, /\.$/, path.join("."));
  assert.equal(new Set(leaves.map(({ path }) => variableOf(path))).size, leaves.length);
  assert.equal(variableOf(["dns", "searchDomains"]), "OUTRIGGER_DNS_SEARCH_DOMAINS");
});
