/**
 * A program that is started anew where it crashes: where a fault of the runtime would end all of it, a
 * parent of some lines, which does nothing else, stays.
 *
 * @module
 */

/** Tells the child that it is one: it ends when its standard input does, which its parent holds. */
export const GUARDED_VARIABLE = "OUTRIGGER_GUARDED";

/** How a program crashes: not by anything that it does itself, or that is done to it. */
const CRASHES: ReadonlySet<string> = new Set(["SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGTRAP"]);
/** So that a program that crashes at once does not take a core, in milliseconds. */
const PAUSE_MS = 200;

/**
 * Runs a program, again after each crash, until it ends in any other way. SIGTERM and SIGINT are passed on.
 *
 * @param command the program and its arguments
 * @param onCrash is told the signal
 * @returns its exit code
 */
export async function runGuarded(
  [program, ...args]: readonly string[],
  onCrash: (signal: string) => void,
): Promise<number> {
  let child: Deno.ChildProcess | undefined;
  let isToldToEnd = false;
  const signals = ["SIGTERM", "SIGINT"] as const;
  const listeners = signals.map((signal) => () => {
    isToldToEnd = true;
    child?.kill(signal);
  });
  signals.forEach((signal, i) => Deno.addSignalListener(signal, listeners[i]));
  try {
    for (;;) {
      child = new Deno.Command(program, {
        args,
        env: { [GUARDED_VARIABLE]: "1" },
        stdin: "piped",
      }).spawn();
      const { code, signal } = await child.status;
      await child.stdin.close().catch(() => {});
      if (signal === null || !CRASHES.has(signal) || isToldToEnd) return code;
      onCrash(signal);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      if (isToldToEnd) return code;
    }
  } finally {
    signals.forEach((signal, i) => Deno.removeSignalListener(signal, listeners[i]));
  }
}

/**
 * For a program that {@link runGuarded} started: waits until its parent is gone.
 *
 * @returns undefined where nobody guards this process
 */
export function untilUnguarded(): Promise<void> | undefined {
  if (Deno.env.get(GUARDED_VARIABLE) === undefined) return undefined;
  return Deno.stdin.readable.pipeTo(new WritableStream()).catch(() => {});
}

/** How this very program is started, with its arguments. */
export function ownCommand(): string[] {
  const { execPath, mainModule, args, build } = Deno;
  return build.standalone
    ? [execPath(), ...args]
    : [execPath(), "run", "--allow-all", "--quiet", mainModule, ...args];
}
