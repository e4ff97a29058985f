/**
 * The part of the command line that swaps the program: `upgrade`, and what the next version is asked.
 *
 * @module
 */
import type { Command } from "commander";
import type { CommandContext } from "./command_context.ts";

/** Adds the commands. @param done takes the exit code */
export function addUpgradeCommands(
  program: Command,
  context: CommandContext,
  done: (exitCode: number) => void,
): void {
  program.command("upgrade")
    .description("swap the program, losing no query; goes back by itself where the new one fails")
    .argument("<file|version>", "e.g. ./outrigger-linux-x64, or 0.2.0")
    .option("--sha256 <sum>", "what the program's sum must be (default: SHA256SUMS beside it says)")
    .option("--from <url>", "where versions are downloaded from (default: the control plane)")
    .option("--dry-run", "show what would be done; change nothing")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      `
Needs root. The old program stays beside the new one. Queries wait in the sockets, which systemd holds, until
the new version answers; where it does not within seconds, or this command is killed, or the power fails, the
old version is back at the next start or boot.

Exit codes: 0 upgraded, or nothing to do; 1 refused, or taken back; 2 wrong command line.

Examples:
  outrigger upgrade ./outrigger-linux-x64 --dry-run
  outrigger upgrade 0.2.0
  outrigger upgrade 0.2.0 --from https://mirror.example.org/outrigger`,
    )
    .action(async (what, options) => {
      const { upgrade } = await import("./upgrade.ts");
      done(await upgrade({ what, ...options }, context));
    });
  program.command("units", { hidden: true })
    .description("what this version wants to have on a machine; part of upgrade")
    .action(async () => {
      const { printUnits } = await import("./units.ts");
      done(printUnits(context));
    });
}
