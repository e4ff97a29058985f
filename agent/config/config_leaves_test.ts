import assert from "node:assert/strict";
import { configLeaves } from "./config_leaves.ts";
import { variableOf } from "./environment.ts";

Deno.test("configLeaves() describes each key, and no two share a variable", () => {
  const leaves = configLeaves();
  assert.ok(leaves.length > 25);
  for (const { path, description } of leaves) assert.match(description, /\.$/, path.join("."));
  assert.equal(new Set(leaves.map(({ path }) => variableOf(path))).size, leaves.length);
  assert.equal(variableOf(["dns", "searchDomains"]), "OUTRIGGER_DNS_SEARCH_DOMAINS");
});
