/**
 * `outrigger lookup NAME [TYPE]`.
 *
 * @module
 */
import type { LookupReport } from "../health/api.ts";
import { askAgent } from "./agent_api.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Prints an answer, and why. Exit code 0 when there is a record, 1 when not. */
export async function lookup(
  options: { name: string; type: string; health: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { name, type, health, json } = options;
  const path = `/api/v1/lookup?${new URLSearchParams({ name, type })}`;
  const report = await askAgent<LookupReport>(health, path, context);
  context.print(json ? `${JSON.stringify(report, null, 2)}\n` : formatLookup(report));
  return report.answers.length > 0 ? ExitCode.OK : ExitCode.FAILURE;
}

/** An answer for people. */
export function formatLookup(report: LookupReport): string {
  const { name, type, rcode, answers, authority, source, why, tookMs } = report;
  const lines = [
    `${name} ${type}: ${rcode}${answers.length === 0 ? ", no records" : ""}`,
    ...answers.map((record) => `  ${record}`),
    ...authority.map((record) => `  ${record}   (authority)`),
    "",
    `why: ${source}, in ${tookMs} ms`,
    ...why.map((step) => `  ${step}`),
  ];
  return `${lines.join("\n")}\n`;
}
