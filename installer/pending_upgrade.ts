/**
 * An upgrade that is not confirmed, as somebody sees it who only looks: it is under way, or was interrupted.
 *
 * @module
 */
import type { Files } from "../agent/system/files.ts";
import { parseRollbackScript, ROLLBACK_SCRIPT, UPGRADE_DEADLINE_SECONDS } from "./upgrade_plan.ts";

/** One that was found. */
export interface PendingUpgrade {
  /** Which it is. */
  state: "pending";
  /** The version of before. */
  from: string;
  /** The one that is tried. */
  to: string;
  /** When it was written down how to go back, milliseconds since 1970. */
  sinceMs: number;
}

/** What came of a look; `unseen` where only root may look. */
export type UpgradeLook = PendingUpgrade | { state: "none" } | { state: "unseen" };

/** After the deadline the old version is back within so many milliseconds, if it comes back. */
const GRACE_MS = 30_000;
const GO_BACK = "sudo systemctl restart outrigger.service";

/** Looks for one. */
export async function findPendingUpgrade(
  files: Pick<Files, "stat" | "readText">,
): Promise<UpgradeLook> {
  try {
    const facts = await files.stat(ROLLBACK_SCRIPT);
    if (facts === undefined) return { state: "none" };
    const { from, to } = parseRollbackScript(await files.readText(ROLLBACK_SCRIPT));
    return { state: "pending", from, to, sinceMs: facts.modifiedMs };
  } catch {
    // The folder is root's: an ordinary user does not learn what is in it.
    return { state: "unseen" };
  }
}

/** What one means, and what to do about it. */
export function describePendingUpgrade(
  { from, to, sinceMs }: PendingUpgrade,
  nowMs: number,
): { message: string; remedy: string } {
  const what = `This machine's upgrade from ${from} to ${to}`;
  if (nowMs < sinceMs + UPGRADE_DEADLINE_SECONDS * 1000 + GRACE_MS) {
    return {
      message: `${what} is not confirmed: it is under way, or was interrupted`,
      remedy:
        `Wait for a minute: by then it is confirmed, or ${from} is back by itself. To go back ` +
        `at once: ${GO_BACK}`,
    };
  }
  return {
    message:
      `${what} was interrupted, and has not been taken back: the next start of the service or ` +
      `boot brings ${from} back`,
    remedy: `Go back now: ${GO_BACK}; where it is still pending then, see why: sudo sh ` +
      `${ROLLBACK_SCRIPT}. Or upgrade anew, which goes back first: sudo outrigger upgrade FILE`,
  };
}
