/**
 * `outrigger names [PATTERN]`.
 *
 * @module
 */
import type { NamesReport } from "../health/api.ts";
import { askAgent } from "./agent_api.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Prints the name table, or the part that matches. Exit code 1 when nothing does. */
export async function names(
  options: { pattern: string; limit: string; health: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { pattern, limit, health, json } = options;
  const path = `/api/v1/names?${new URLSearchParams({ pattern, limit })}`;
  const report = await askAgent<NamesReport>(health, path, context);
  context.print(json ? `${JSON.stringify(report, null, 2)}\n` : formatNames(report));
  return report.total > 0 ? ExitCode.OK : ExitCode.FAILURE;
}

/** The table for people. */
export function formatNames(report: NamesReport): string {
  if (report.total === 0) return "no host matches\n";
  const width = Math.min(60, Math.max(...report.names.map(({ host }) => host.length)));
  const lines = report.names.map((name) => {
    const notes = [
      name.registry,
      ...(name.autoAllocated ? ["automatic VIP"] : []),
      ...(name.served ? [] : ["left to the upstream servers"]),
      ...name.altHosts.map((alias) => `alias ${alias}`),
    ];
    return `${name.host.padEnd(width)}  ${name.addresses.join(" ")}  (${notes.join(", ")})`;
  });
  const rest = report.total - report.names.length;
  if (rest > 0) lines.push(`… and ${rest} more (--limit)`);
  return `${lines.join("\n")}\n`;
}
