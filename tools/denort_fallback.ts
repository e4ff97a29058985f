/**
 * The base binary (`denort`) for networks where Deno's own download cannot be reached: cut out of a
 * program that was published to npm, compiled with the same version of Deno. That program is neither
 * run nor kept; what is left is Deno's own runtime (MIT). Every sum is checked. Not for releases.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { runToEnd } from "../test/support/child_process.ts";
import { cacheFolder } from "./cache_folder.ts";
import { cutProgram } from "./denort_elf.ts";
import { keptFile } from "./kept_file.ts";

/** The published program, and what comes out of it. */
const SOURCE = {
  package: "@chelonia/cli-x64-linux",
  version: "3.4.0",
  integrity:
    "sha512-ey7BqNiIOY2PkpN/UYxjpmOG1A7HmplyadP80omXTG1DVu1fbz7ro/d4gRPtHaxPRkNJTS24lDejc5/rT/3RMA==",
  file: "package/chel",
  programSha256: "bf5318c47771dc044bafaf935d411b9d3456a7c96d30b32bbda27eaee930577f",
  runtimeSha256: "723d45cca4f68bd66652da1e0d45562b0700317c1535981035f50f078785a131",
  deno: "2.9.4",
  target: "x86_64-unknown-linux-gnu",
} as const;

/** There is no base binary for a target. */
export class NoBaseError extends Error {}

/**
 * The base binary, made and kept in the user's cache folder at the first use.
 *
 * @param target what the binary is for
 * @throws {NoBaseError} when no program was published for it
 * @throws when npm cannot be reached, or any sum differs
 */
export async function fallbackBase(target: string): Promise<Uint8Array<ArrayBuffer>> {
  if (Deno.version.deno !== SOURCE.deno || target !== SOURCE.target) {
    throw new NoBaseError(
      `The fallback base is for Deno ${SOURCE.deno} on ${SOURCE.target}, and not for Deno ` +
        `${Deno.version.deno} on ${target}: set DENORT_BIN to a denort of this version.`,
    );
  }
  const path = join(cacheFolder("denort"), `fallback-${SOURCE.deno}-${SOURCE.target}`);
  return await keptFile(path, {
    sha256: SOURCE.runtimeSha256,
    make: async () => cutProgram(await fetchProgram()),
  });
}

/** The published program, out of a folder that is removed again. */
async function fetchProgram(): Promise<Uint8Array<ArrayBuffer>> {
  const name = `${SOURCE.package}@${SOURCE.version}`;
  const work = await Deno.makeTempDir({ prefix: "outrigger-base-" });
  try {
    console.log(`Fetching ${name} with npm`);
    const printed = await runToEnd("npm", ["pack", "--silent", name], { cwd: work });
    const archive = join(work, printed.trim().split("\n").at(-1)!);
    const hash = createHash("sha512").update(await Deno.readFile(archive));
    check(name, `sha512-${hash.digest("base64")}`, SOURCE.integrity);
    await runToEnd("tar", ["-xzf", archive, SOURCE.file], { cwd: work });
    const program = await Deno.readFile(join(work, SOURCE.file));
    const sha256 = createHash("sha256").update(program).digest("hex");
    check(`${SOURCE.file} in ${name}`, sha256, SOURCE.programSha256);
    return program;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

function check(what: string, found: string, expected: string): void {
  if (found === expected) return;
  throw new Error(`${what} is not what it must be: its sum is ${found}, not ${expected}`);
}
