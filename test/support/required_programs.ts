/**
 * Programs that a tier cannot do without: one that is missing fails it, with the package that brings it.
 *
 * @module
 */

/** What must be there. */
export interface RequiredProgram {
  /** A program on the path, or the path of a file. */
  program: string;
  /** The Debian package that brings it, or where else it comes from. */
  package: string;
}

/** Checks that all are there. @throws with what to install */
export async function requirePrograms(required: readonly RequiredProgram[]): Promise<void> {
  const missing = [];
  for (const one of required) if (!await isThere(one.program)) missing.push(one);
  if (missing.length === 0) return;
  const names = missing.map(({ program }) => `"${program}"`).join(", ");
  const packages = [...new Set(missing.map((one) => one.package))].join(", ");
  throw new Error(`Missing: ${names}; install ${packages}`);
}

async function isThere(program: string): Promise<boolean> {
  if (program.startsWith("/")) return await Deno.stat(program).then(() => true, () => false);
  const { success } = await new Deno.Command("sh", {
    args: ["-c", 'command -v "$0"', program],
    stdout: "null",
  }).output();
  return success;
}
