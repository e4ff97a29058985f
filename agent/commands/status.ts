/**
 * `outrigger status`.
 *
 * @module
 */
import { describePendingUpgrade, findPendingUpgrade } from "../../installer/pending_upgrade.ts";
import type { StatusReport } from "../health/api.ts";
import { statusRows } from "../health/status_rows.ts";
import { askAgent } from "./agent_api.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Prints what is going on. Exit code 0 when all is well, 1 when not. */
export async function status(
  options: { health: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const report = await withPendingUpgrade(
    await askAgent<StatusReport>(options.health, "/api/v1/status", context),
    context,
  );
  context.print(
    options.json ? `${JSON.stringify(report, null, 2)}\n` : formatStatus(report, context),
  );
  return report.status === "ok" ? ExitCode.OK : ExitCode.FAILURE;
}

/** The agent itself, an ordinary user, may not see it. */
async function withPendingUpgrade(
  report: StatusReport,
  context: CommandContext,
): Promise<StatusReport> {
  const upgrade = await findPendingUpgrade(context.files);
  if (upgrade.state !== "pending") return report;
  const { clock } = context.machine().world;
  const problem = {
    code: "UPGRADE_PENDING",
    ...describePendingUpgrade(upgrade, clock.wallMs()),
  };
  return {
    ...report,
    status: report.status === "ok" ? "degraded" : report.status,
    problems: [...report.problems, problem],
  };
}

const COLOURS = { ok: 32, degraded: 33, waiting: 33 };

/** A status for people. */
export function formatStatus(report: StatusReport, { colour }: { colour: boolean }): string {
  const rows = statusRows(report);
  const width = Math.max(...rows.map(([label]) => label.length));
  const lines = rows.map(([label, text]) => `${label.padEnd(width)}  ${text}`.trimEnd());
  if (colour) {
    const { status } = report;
    lines[0] = lines[0].replace(`  ${status}`, `  \x1b[${COLOURS[status]}m${status}\x1b[0m`);
  }
  for (const { message, remedy } of report.problems) {
    lines.push("", `problem: ${message}`);
    if (remedy !== "") lines.push(`  to do: ${remedy}`);
  }
  return `${lines.join("\n")}\n`;
}
