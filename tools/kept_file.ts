/**
 * Files that are fetched or made once, and kept outside the checkout.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, dirname } from "node:path";

/**
 * A file's content: the one kept at a path if it has the right sum, else made anew, and kept there.
 *
 * @param options `sha256` is its sum, hexadecimal; `make` makes its content
 * @throws when what was made has another sum
 */
export async function keptFile(
  path: string,
  { sha256, make }: { sha256: string; make: () => Promise<Uint8Array<ArrayBuffer>> },
): Promise<Uint8Array<ArrayBuffer>> {
  const kept = await Deno.readFile(path).catch(() => undefined);
  if (kept !== undefined && sumOf(kept) === sha256) return kept;
  const made = await make();
  if (sumOf(made) !== sha256) {
    throw new Error(
      `Find out where ${basename(path)} comes from, and do not use it: its SHA-256 is ` +
        `${sumOf(made)}, and must be ${sha256}.`,
    );
  }
  await Deno.mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${crypto.randomUUID()}`;
  await Deno.writeFile(temporary, made);
  await Deno.rename(temporary, path);
  return made;
}

function sumOf(octets: Uint8Array): string {
  return createHash("sha256").update(octets).digest("hex");
}
