/**
 * The licences of all that is in the binary. Nothing is handed out whose terms nobody knows, or without the
 * text that those terms ask for.
 *
 * @module
 */
import type { PackageInside } from "./packages_inside.ts";

/** Licences (SPDX) that ask of a program for their text, and for nothing that Apache-2.0 does not allow. */
const ACCEPTED: readonly string[] = ["0BSD", "Apache-2.0", "BSD-3-Clause", "ISC", "MIT"];

/** Names of files that are licences, or that licences ask to be passed on. */
const LICENCE_FILE = /^(licen[cs]e|notice|copying|copyrightnotice)(\.|$|-)/i;

/** What a package says of its licence. */
export interface Licence {
  /** SPDX expression, e.g. `MIT`. */
  readonly expression: string;
  /** Its files that are licences, whole. */
  readonly text: string;
}

/**
 * Reads a package's licence.
 *
 * @throws when it names none that may be handed out, or brings no text of it
 */
export async function licenceOf({ name, version, localPath }: PackageInside): Promise<Licence> {
  const { license: expression } = JSON.parse(
    await Deno.readTextFile(`${localPath}/package.json`),
  );
  if (!ACCEPTED.includes(expression)) {
    throw new Error(
      `Do without ${name}@${version}, or accept its licence in tools/licences.ts: it is under ` +
        `"${expression}", and accepted are ${ACCEPTED.join(", ")}.`,
    );
  }
  const files = (await Array.fromAsync(Deno.readDir(localPath), (entry) => entry.name)).sort()
    .filter((file) => LICENCE_FILE.test(file));
  const texts = await Promise.all(files.map((file) => Deno.readTextFile(`${localPath}/${file}`)));
  const text = texts.map((part) => part.trim()).filter((part) => part !== "").join("\n\n");
  if (text === "") {
    throw new Error(
      `Do without ${name}@${version}, or use a version of it that has a file LICENSE: its licence ` +
        `(${expression}) asks for a text, and it brings none.`,
    );
  }
  return { expression, text };
}

/** All of them in one text, that of the runtime too. @param own the licence of outrigger itself */
export async function licenceText(
  own: string,
  packages: readonly (PackageInside & { licence: Licence })[],
): Promise<string> {
  const rule = "=".repeat(80);
  const part = (title: string, text: string) => `${rule}\n${title}\n${rule}\n\n${text.trim()}\n`;
  const { deno, v8 } = Deno.version;
  const runtime = (name: string) =>
    Deno.readTextFile(new URL(`./licences/${name}.txt`, import.meta.url));
  return [
    part("outrigger", own),
    part(
      `Deno ${deno} (MIT)`,
      `${await runtime("deno")}\nThe terms of the Rust crates in it are listed with its sources.`,
    ),
    part(`V8 ${v8} (BSD-3-Clause)`, await runtime("v8")),
    ...packages.map(({ name, version, licence: { expression, text } }) =>
      part(`${name} ${version} (${expression})`, text)
    ),
  ].join("\n");
}
