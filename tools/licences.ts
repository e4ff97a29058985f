/**
 * The licences of all that is in the binary.
 *
 * @module
 */
import type { PackageInside } from "./packages_inside.ts";

/** What the runtime is under (https://github.com/denoland/deno, LICENSE.md). */
const DENO_LICENCE = `MIT License

Copyright 2018-2026 the Deno authors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction, including without limitation
the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
to permit persons to whom the Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or substantial portions
of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
IN THE SOFTWARE.
`;

/** What a package says of its licence. */
export interface Licence {
  /** SPDX expression, e.g. `MIT`. */
  readonly expression: string;
  /** Its files that are licences, whole; empty where it has none. */
  readonly text: string;
}

/**
 * Reads a package's licence.
 *
 * @throws when it names none: nothing is handed out whose terms nobody knows
 */
export async function licenceOf({ name, localPath }: PackageInside): Promise<Licence> {
  const { license } = JSON.parse(await Deno.readTextFile(`${localPath}/package.json`));
  const expression = typeof license === "string" ? license : license?.type;
  if (typeof expression !== "string") throw new Error(`${name} names no licence`);
  const files = (await Array.fromAsync(Deno.readDir(localPath), (entry) => entry.name)).sort()
    .filter((file) => /^(licen[cs]e|notice|copying)(\.|$|-)/i.test(file));
  const texts = files.map((file) => Deno.readTextFile(`${localPath}/${file}`));
  return { expression, text: (await Promise.all(texts)).map((text) => text.trim()).join("\n\n") };
}

/** All of them in one text. @param own the licence of outrigger itself */
export function licenceText(
  own: string,
  packages: readonly (PackageInside & { licence: Licence })[],
): string {
  const part = (title: string, text: string) =>
    `${"=".repeat(80)}\n${title}\n${"=".repeat(80)}\n\n${text.trim()}\n`;
  return [
    part("outrigger", own),
    part(
      `Deno ${Deno.version.deno}`,
      `${DENO_LICENCE}\nDeno holds V8 ${Deno.version.v8} (BSD-3-Clause) and Rust crates, whose terms are listed ` +
        "with its sources.",
    ),
    ...packages.map(({ name, version, licence: { expression, text } }) =>
      part(`${name} ${version} (${expression})`, text || "(The package brings no text of it.)")
    ),
  ].join("\n");
}
