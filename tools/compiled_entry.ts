/**
 * Where the compiled binary starts.
 *
 * @module
 */
import { loadProgram, runProgram } from "./program_loader.ts";

const script = loadProgram(import.meta.dirname!, { cached: true });
Object.assign(globalThis, { __OUTRIGGER_CODE_CACHE__: script.cachedDataRejected === false });
runProgram(script, import.meta.url);
