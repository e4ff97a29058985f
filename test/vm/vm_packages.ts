/**
 * Packages of the binary under test, and of later versions of it.
 *
 * @module
 */
import { join } from "node:path";
import project from "../../deno.json" with { type: "json" };
import { PACKAGE_LAYOUT } from "../../systemd/layout.ts";
import { type UnitFile, unitsOf } from "../../systemd/units.ts";
import { makePackages } from "../../tools/linux_packages.ts";
import { NEW_VERSION, writeChanged } from "./new_versions.ts";
import { binaryUnderTest } from "./vm_agent.ts";

/** The description of the service in {@link makeTestPackages}'s later versions. */
export const NEW_DESCRIPTION = "DNS proxy of the service MESH";
/** The version whose sockets are others too. */
const OTHER_SOCKETS_VERSION = `${NEW_VERSION}+sockets`;

/** Names of the packages of three versions, each beside its rpm. */
export interface TestPackages extends AsyncDisposable {
  /** Where they are. */
  folder: string;
  /** The binary under test. */
  first: string[];
  /** A later version, with another service unit. */
  next: string[];
  /** The same with other sockets. */
  otherSockets: string[];
}

/** One of them. */
export type PackagedVersion = "first" | "next" | "otherSockets";

const OPTIONS = {
  target: Deno.build.target,
  licences: new URL("../../LICENSE", import.meta.url).pathname,
  compression: "gzip",
} as const;

/** Makes those of the binary under test in a folder. @returns their names */
export async function makeFirst(folder: string): Promise<string[]> {
  const program = await binaryUnderTest();
  return await makePackages({ ...OPTIONS, folder, program, version: project.version });
}

/** Makes them; they are gone when they are disposed of. */
export async function makeTestPackages(): Promise<TestPackages> {
  await using undo = new AsyncDisposableStack();
  const folder = await Deno.makeTempDir({ prefix: "outrigger-test-packages-" });
  undo.defer(() => Deno.remove(folder, { recursive: true }));
  const later = join(folder, "outrigger");
  await writeChanged(later, {});
  const units = unitsOf(PACKAGE_LAYOUT).map((unit) => ({
    ...unit,
    text: unit.text.replace("DNS proxy of the service mesh", NEW_DESCRIPTION),
  }));
  const changed = units.map((unit) => ({
    ...unit,
    text: unit.text.replace("DNS sockets of outrigger for IPv6", "Other sockets"),
  }));
  const make = (program: string, version: string, units?: readonly UnitFile[]) =>
    makePackages({ ...OPTIONS, folder, program, version, ...(units && { units }) });
  const made = {
    first: await makeFirst(folder),
    next: await make(later, NEW_VERSION, units),
    otherSockets: await make(later, OTHER_SOCKETS_VERSION, changed),
  };
  const all = undo.move();
  return { ...made, folder, [Symbol.asyncDispose]: () => all.disposeAsync() };
}
