/**
 * Loads the program in the binary: one script, and what V8 made of it at the build. V8 reads the second
 * instead of compiling the first, and compiles where the second is not its own (another version, other
 * flags).
 *
 * Not by the runtime's own code cache, whose place anybody may write to (`tools/build.ts`), which knows
 * nothing of what is loaded later, and which the first start is without.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { Script } from "node:vm";

/** The program, and what it needs of the module that it was. */
export const PROGRAM = "program.cjs";
/** What V8 made of it. */
export const CODE_CACHE = "program.cache";
/** What the program calls the address of its own folder, where the programs of its workers lie. */
export const ADDRESS = "__outriggerAddress";

/** Compiles the program of a folder. @param folder where both files lie @param cached whether V8 may read */
export function loadProgram(folder: string, { cached }: { cached: boolean }): Script {
  return new Script(Deno.readTextFileSync(`${folder}/${PROGRAM}`), {
    filename: `/outrigger/${PROGRAM}`,
    ...cached && { cachedData: Buffer.from(Deno.readFileSync(`${folder}/${CODE_CACHE}`).buffer) },
  });
}

/** Runs it. @param address of a file in the folder of its workers */
export function runProgram(script: Script, address: string): void {
  script.runInThisContext()(createRequire(address), address);
}
