/**
 * Makes the code cache of the program in a folder: runs it as far as an agent gets whose configuration is
 * not there, by when all that an agent needs was loaded, and keeps what V8 has compiled. No further: what
 * an agent compiles in its first second is not the same twice, and neither would the binary be.
 *
 * `deno run -A --v8-flags=FLAGS tools/make_code_cache.ts run --config MISSING`, with the folder in
 * PROGRAM_FOLDER. The flags are the binary's: V8 takes no cache that was made with others.
 *
 * @module
 */
import { pathToFileURL } from "node:url";
import { setFlagsFromString } from "node:v8";
import { CODE_CACHE, loadProgram, runProgram } from "./program_loader.ts";

const folder = Deno.env.get("PROGRAM_FOLDER")!;
// What is compiled stays, however long this takes.
setFlagsFromString("--no-flush-bytecode");
const script = loadProgram(folder, { cached: false });
Deno.exit = () => {
  setFlagsFromString("--flush-bytecode");
  Deno.writeFileSync(`${folder}/${CODE_CACHE}`, script.createCachedData());
  throw new Error("The end");
};
addEventListener("unhandledrejection", (event) => event.preventDefault());
runProgram(script, pathToFileURL(`${folder}/main.js`).href);
