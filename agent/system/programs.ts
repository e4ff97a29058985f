/**
 * Other programs of this machine, as a port.
 *
 * @module
 */

/** How a program ended. */
export interface ProgramResult {
  /** Exit code; {@link NO_PROGRAM} where there is no such program. */
  code: number;
  /** What it wrote to standard output. */
  stdout: string;
  /** What it wrote to standard error. */
  stderr: string;
}

/** The exit code of a program that is not there, as shells have it. */
export const NO_PROGRAM = 127;

/**
 * Runs a program to its end, or for so long that it is killed.
 *
 * @param command the program, which is looked for in PATH and where administrators' programs are, and its
 * arguments
 * @param options `input`: what it reads from standard input, nothing unless given; `timeoutMs`: how long it
 * may run, 90 s unless given
 */
export type RunProgram = (
  command: readonly string[],
  options?: { input?: string; timeoutMs?: number },
) => Promise<ProgramResult>;

const TIMEOUT_MS = 90_000;
/** A unit, and `su` without a login shell, may have a PATH without the folders of nft and resolvconf. */
const PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Runs programs of this machine. */
export const runProgramOfMachine: RunProgram = async (
  [program, ...args],
  { input, timeoutMs = TIMEOUT_MS } = {},
): Promise<ProgramResult> => {
  const text = new TextDecoder();
  try {
    const child = new Deno.Command(program, {
      args,
      env: { PATH, LC_ALL: "C" },
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      signal: AbortSignal.timeout(timeoutMs),
    }).spawn();
    if (input !== undefined) {
      const writer = child.stdin.getWriter();
      // A program that ends without reading says why by its exit code.
      await writer.write(new TextEncoder().encode(input)).catch(() => {});
      await writer.close().catch(() => {});
    }
    const { code, stdout, stderr } = await child.output();
    return { code, stdout: text.decode(stdout), stderr: text.decode(stderr) };
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return { code: NO_PROGRAM, stdout: "", stderr: `${program}: no such program` };
  }
};
