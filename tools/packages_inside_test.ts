import assert from "node:assert/strict";
import { packagesOf } from "./packages_inside.ts";

Deno.test("packagesOf() lists what modules lead to, each version once, without types and tests", () => {
  const entry = (name: string, version: string, ...dependencies: string[]) => ({
    name,
    version,
    localPath: "/npm",
    dependencies,
  });
  const npmPackages = {
    "b@1.0.0_a": entry("b", "1.0.0", "a@2.0.0", "@types/c@1.0.0"),
    "a@2.0.0": entry("a", "2.0.0", "b@1.0.0_a"),
    "a@1.0.0": entry("a", "1.0.0"),
    "@types/c@1.0.0": entry("@types/c", "1.0.0", "d@1.0.0"),
    "d@1.0.0": entry("d", "1.0.0"),
    "tests@1.0.0": entry("tests", "1.0.0"),
  };
  const modules = [{}, { npmPackage: "b@1.0.0_a" }, { npmPackage: "a@1.0.0" }];
  const localPath = "/npm";
  assert.deepEqual(packagesOf({ modules, npmPackages }), [
    { name: "a", version: "1.0.0", localPath },
    { name: "a", version: "2.0.0", localPath },
    { name: "b", version: "1.0.0", localPath },
  ]);
});
