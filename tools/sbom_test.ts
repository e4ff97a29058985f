import assert from "node:assert/strict";
import { sbom } from "./sbom.ts";

const OWN = { version: "1.2.3", licence: "Apache-2.0" };
const PACKAGES = [
  { name: "b", version: "2.0.0", expression: "ISC" },
  { name: "@example/a", version: "1.0.0", expression: "MIT" },
].map(({ name, version, expression }) => ({
  name,
  version,
  localPath: "/npm",
  licence: { expression, text: "terms" },
}));

Deno.test("sbom() has what CycloneDX 1.6 asks for: format, version, and type and name of each component", () => {
  const { $schema, bomFormat, specVersion, version, metadata, components } = JSON.parse(
    sbom(OWN, PACKAGES),
  );
  assert.deepEqual(
    { $schema, bomFormat, specVersion, version },
    {
      $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
      bomFormat: "CycloneDX",
      specVersion: "1.6",
      version: 1,
    },
  );
  const own = {
    type: "application",
    name: "outrigger",
    version: "1.2.3",
    "bom-ref": "outrigger@1.2.3",
    licenses: [{ expression: "Apache-2.0" }],
  };
  assert.deepEqual(metadata.component, own);
  const { deno, v8 } = Deno.version;
  assert.deepEqual(components, [
    {
      type: "library",
      name: "@example/a",
      version: "1.0.0",
      "bom-ref": "@example/a@1.0.0",
      licenses: [{ expression: "MIT" }],
      purl: "pkg:npm/%40example/a@1.0.0",
    },
    {
      type: "library",
      name: "b",
      version: "2.0.0",
      "bom-ref": "b@2.0.0",
      licenses: [{ expression: "ISC" }],
      purl: "pkg:npm/b@2.0.0",
    },
    {
      type: "platform",
      name: "deno",
      version: deno,
      "bom-ref": `deno@${deno}`,
      licenses: [{ expression: "MIT" }],
      purl: `pkg:github/denoland/deno@v${deno}`,
    },
    {
      type: "library",
      name: "v8",
      version: v8,
      "bom-ref": `v8@${v8}`,
      licenses: [{ expression: "BSD-3-Clause" }],
    },
  ]);
});

Deno.test("sbom() is the same octets for the same packages, in whatever order and whenever it is made", () => {
  const text = sbom(OWN, PACKAGES);
  assert.equal(sbom(OWN, PACKAGES.toReversed()), text);
  const { serialNumber, metadata } = JSON.parse(text);
  assert.deepEqual([serialNumber, metadata.timestamp], [undefined, undefined]);
});
