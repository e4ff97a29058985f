/**
 * Telling when one of a few files changed. Their folders are watched, since files are replaced by
 * renaming; other files of those folders are nobody's business here.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";

/** How long a change is left to settle, in milliseconds: it comes as several events. */
const SETTLE_MS = 200;

/** Calls `onChange` after any of `paths` changed, until `signal` is aborted. */
export function watchFiles(
  paths: readonly string[],
  onChange: () => void,
  { files, clock, signal }: {
    files: Pick<Files, "stat" | "watch">;
    clock: Clock;
    signal: AbortSignal;
  },
): void {
  let known = factsOf(paths, files);
  const look = async () => {
    const facts = await factsOf(paths, files);
    if (facts === await known) return;
    known = Promise.resolve(facts);
    onChange();
  };
  for (const folder of new Set(paths.map((path) => dirname(path)))) {
    let cancel = () => {};
    try {
      files.watch(folder, () => {
        cancel();
        cancel = clock.schedule(SETTLE_MS, () => void look());
      }, { signal });
    } catch {
      // A folder that is not there yet: whoever reads the file says so.
    }
  }
}

/** What changes when one of the files does. */
async function factsOf(paths: readonly string[], files: Pick<Files, "stat">): Promise<string> {
  const facts = await Promise.all(paths.map((path) => files.stat(path).catch(() => undefined)));
  return facts.map((file) => `${file?.modifiedMs} ${file?.sizeBytes}`).join();
}
