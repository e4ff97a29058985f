/**
 * `outrigger cache flush [NAME]`.
 *
 * @module
 */
import type { CacheFlushReport } from "../health/api.ts";
import { tellAgent } from "./agent_api.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Makes the agent forget what it cached, and prints how much that was. */
export async function flushCache(
  options: { name: string; socket: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { name, socket, json } = options;
  const target = `/v1/cache/flush?${new URLSearchParams({ name })}`;
  const report = await tellAgent<CacheFlushReport>(socket, target, context);
  context.print(json ? `${JSON.stringify(report, null, 2)}\n` : formatFlush(report));
  return ExitCode.OK;
}

function formatFlush({ name, flushed }: CacheFlushReport): string {
  const count = flushed === 1 ? "1 answer" : `${flushed} answers`;
  return `forgot ${count}${name === "." ? "" : ` for ${name} and the names below it`}\n`;
}
