/**
 * The bill of materials of the binary: CycloneDX 1.6, as JSON.
 *
 * @module
 */
import { Enums, Models, Serialize, Spec } from "@cyclonedx/cyclonedx-library";
import type { Licence } from "./licences.ts";
import type { PackageInside } from "./packages_inside.ts";

/** The same text for the same packages: it has no date and no serial number. */
export function sbom(
  own: { version: string; licence: string },
  packages: readonly (PackageInside & { licence: Licence })[],
): string {
  const component = (
    name: string,
    version: string,
    { type = Enums.ComponentType.Library, licence, purl }: {
      type?: Enums.ComponentType;
      licence?: string;
      purl?: string;
    },
  ) => {
    const made = new Models.Component(type, name, { version, bomRef: `${name}@${version}` });
    if (licence !== undefined) made.licenses.add(new Models.LicenseExpression(licence));
    if (purl !== undefined) made.purl = purl;
    return made;
  };
  const bom = new Models.Bom();
  bom.metadata.component = component("outrigger", own.version, {
    type: Enums.ComponentType.Application,
    licence: own.licence,
  });
  const { deno, v8 } = Deno.version;
  bom.components.add(component("deno", deno, {
    type: Enums.ComponentType.Platform,
    licence: "MIT",
    purl: `pkg:github/denoland/deno@v${deno}`,
  }));
  bom.components.add(component("v8", v8, { licence: "BSD-3-Clause" }));
  for (const { name, version, licence } of packages) {
    bom.components.add(component(name, version, {
      licence: licence.expression,
      purl: `pkg:npm/${name.replace("@", "%40")}@${version}`,
    }));
  }
  const serializer = new Serialize.JsonSerializer(
    new Serialize.JSON.Normalize.Factory(Spec.Spec1dot6),
  );
  return `${serializer.serialize(bom, { sortLists: true, space: 2 })}\n`;
}
