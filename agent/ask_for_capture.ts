/**
 * Asking root to look at the capture: the agent itself can change nothing of the VM.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Files } from "./system/files.ts";

/** What `outrigger-capture.path` watches; its folder is there where outrigger is installed. */
export const CAPTURE_WANTED = "/run/outrigger/capture-wanted";

/**
 * Asks. No path shows that a link's nameservers changed, as those of systemd-resolved: without this, a
 * capture that names them (nftables) would be as they were until the timer looks, for a minute.
 */
export async function askForCapture(files: Pick<Files, "stat" | "writeAtomic">): Promise<void> {
  try {
    if (await files.stat(dirname(CAPTURE_WANTED)) === undefined) return;
    // What it says is of no interest to anybody; root never reads it.
    await files.writeAtomic(CAPTURE_WANTED, "");
  } catch {
    /* not ours to write, as where somebody runs an agent by hand: the timer looks anyway */
  }
}
