/**
 * `deno task dist`: builds for every architecture, and puts all into dist/ that is handed out: programs, the
 * same packed, and as packages, what is in them, under which terms, how to install them, and the sums of all
 * of it.
 *
 * @module
 */
import { join } from "node:path";
import { binaryFileName, SUMS_FILE } from "../agent/downloads.ts";
import { sha256OfFile } from "../agent/system/file_body.ts";
import project from "../deno.json" with { type: "json" };
import lastRelease from "./last_release.json" with { type: "json" };
import { runToEnd } from "../test/support/child_process.ts";
import { build } from "./build.ts";
import type { BaseOrigin } from "./denort_base.ts";
import { NoBaseError } from "./denort_fallback.ts";
import { licenceOf, licenceText } from "./licences.ts";
import { makePackages } from "./linux_packages.ts";
import { packagesInside } from "./packages_inside.ts";
import { sbom } from "./sbom.ts";

/** Names of programs by what they are compiled for. */
export const PROGRAMS: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": binaryFileName("x64"),
  "aarch64-unknown-linux-gnu": binaryFileName("arm64"),
};

/** Most that a program may take on a VM's disk, and what is downloaded; packages are packed less tightly. */
const LIMIT_OCTETS = { program: 100e6, package: 35e6, other: 30e6 };

/** What {@link makePrograms} makes programs with. */
export interface ProgramMaker {
  /** Builds for a target into a file, and says on what base; throws a {@link NoBaseError} without one. */
  build(target: string, output: string): Promise<BaseOrigin>;
  /** Packs a file, into one with `.xz` behind its name. */
  pack(path: string): Promise<void>;
  /** Says something to whoever started this. */
  print(line: string): void;
}

/**
 * Makes the programs of all architectures for which there is a base binary.
 *
 * @returns names of the files in the folder, and why they are not for release: nothing where they are
 * @throws when there is none at all, or one cannot be built or packed
 */
export async function makePrograms(
  folder: string,
  { build, pack, print }: ProgramMaker,
): Promise<{ names: string[]; notForRelease: string[] }> {
  const names: string[] = [];
  const notForRelease: string[] = [];
  for (const [target, name] of Object.entries(PROGRAMS)) {
    const path = join(folder, name);
    try {
      const origin = await build(target, path);
      if (origin === "fallback") notForRelease.push(`${name} is built on the fallback base`);
    } catch (error) {
      if (!(error instanceof NoBaseError)) throw error;
      print(`${name} cannot be built: ${error.message}`);
      notForRelease.push(`${name} is missing`);
      continue;
    }
    await pack(path);
    names.push(name, `${name}.xz`);
  }
  if (names.length === 0) throw new Error("No program could be built, for the reasons above.");
  return { names, notForRelease };
}

/** Writes what is in the programs and under which terms, and how to install them; returns names of files. */
export async function writeDocuments(folder: string): Promise<string[]> {
  const packages = await Promise.all(
    (await packagesInside()).map(async (inside) => ({
      ...inside,
      licence: await licenceOf(inside),
    })),
  );
  const own = { version: project.version, licence: project.license };
  const documents = {
    "sbom.cdx.json": sbom(own, packages),
    "LICENSES.txt": await licenceText(await Deno.readTextFile("LICENSE"), packages),
    "install.sh": await Deno.readTextFile("distribution/install.sh"),
  };
  for (const [name, text] of Object.entries(documents)) {
    await Deno.writeTextFile(join(folder, name), text);
  }
  return Object.keys(documents);
}

/**
 * Tells what each file takes, and writes the sums of all of them.
 *
 * @param options `last` has the octets of the last release's files; `print` says a line
 * @throws when a file is larger than it may be: then there are no sums, and nothing can be handed out
 */
export async function sumUp(
  folder: string,
  { names, last, print }: {
    names: readonly string[];
    last: Readonly<Record<string, number>>;
    print: (line: string) => void;
  },
): Promise<void> {
  const tooLarge: string[] = [];
  for (const name of names) {
    const { size } = await Deno.stat(join(folder, name));
    print(`${join(folder, name)}: ${megabytes(size)}, ${difference(size, last[name])}`);
    const limit = Object.values(PROGRAMS).includes(name)
      ? LIMIT_OCTETS.program
      : /\.(deb|rpm)$/.test(name)
      ? LIMIT_OCTETS.package
      : LIMIT_OCTETS.other;
    if (size > limit) tooLarge.push(`${name} takes ${size - limit} octets more`);
  }
  if (tooLarge.length > 0) {
    throw new Error(
      `Find out what grew, or raise LIMIT_OCTETS: ${tooLarge.join(", ")} than it may.`,
    );
  }
  const sums: string[] = [];
  for (const name of names) sums.push(`${await sha256OfFile(join(folder, name))}  ${name}\n`);
  await Deno.writeTextFile(join(folder, SUMS_FILE), sums.join(""));
}

function difference(octets: number, before: number | undefined): string {
  if (before === undefined) return "not in the last release";
  return `${octets < before ? "" : "+"}${megabytes(octets - before)} since the last release`;
}

function megabytes(octets: number): string {
  return `${(octets / 1e6).toFixed(2)} MB`;
}

/** Packs a file. With several threads the same octets would be packed differently on other machines. */
async function pack(path: string): Promise<void> {
  await runToEnd("xz", ["--keep", "--threads=1", "-9", path]);
}

/** Makes packages of the programs among files, once their terms are there; returns names of the packages. */
async function packagePrograms(folder: string, names: readonly string[]): Promise<string[]> {
  const packages: string[] = [];
  for (const [target, name] of Object.entries(PROGRAMS)) {
    if (!names.includes(name)) continue;
    const licences = join(folder, "LICENSES.txt");
    const program = join(folder, name);
    packages.push(
      ...await makePackages({ program, target, version: project.version, licences, folder }),
    );
  }
  return packages;
}

if (import.meta.main) {
  const folder = "dist";
  const print = console.log;
  await Deno.remove(folder, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  const { names, notForRelease } = await makePrograms(folder, { build, pack, print });
  names.push(...await writeDocuments(folder));
  names.push(...await packagePrograms(folder, names));
  await sumUp(folder, { names, last: lastRelease, print });
  if (notForRelease.length > 0) print(`Not for release: ${notForRelease.join(", ")}`);
}
