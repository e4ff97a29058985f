/**
 * `outrigger units`: what this version wants to have on a machine beside itself, for the version that is
 * there and is asked to upgrade to this one.
 *
 * @module
 */
import { CAPTURE_JOURNAL } from "../../installer/journal.ts";
import { releaseProgram } from "../../installer/undo_script.ts";
import type { ReleaseFiles } from "../../installer/upgrade_plan.ts";
import { OWN_LAYOUT } from "../../systemd/layout.ts";
import { ENABLED_UNITS, PORT_53_UNIT, UNITS } from "../../systemd/units.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Prints them as JSON. */
export function printUnits(context: CommandContext): number {
  const report: ReleaseFiles = {
    files: [
      ...UNITS.map((unit) => ({ ...unit, mode: 0o644 })),
      { ...PORT_53_UNIT, mode: 0o644, onlyIfThere: true },
      { path: OWN_LAYOUT.release, text: releaseProgram(CAPTURE_JOURNAL), mode: 0o755 },
    ],
    enabled: [...ENABLED_UNITS],
  };
  context.print(`${JSON.stringify(report, null, 2)}\n`);
  return ExitCode.OK;
}
