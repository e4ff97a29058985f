/**
 * `outrigger run`.
 *
 * @module
 */
import { Agent } from "../app.ts";
import type { Override } from "../config/environment.ts";
import { loadConfig } from "../config/load_config.ts";
import { openLog } from "../system/log.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Runs an agent until it is told to end. */
export async function run(
  options: { config?: string; flags: readonly Override[] },
  context: CommandContext,
): Promise<number> {
  const { manager, sockets } = context.takeServiceStart();
  const load = () =>
    loadConfig({
      ...(options.config !== undefined && { file: options.config }),
      environment: context.process.environment(),
      flags: options.flags,
      hostname: context.process.hostname(),
      files: context.files,
    });
  const config = await load();
  const log = openLog(config.log);
  const agent = new Agent({
    config,
    reload: load,
    log,
    process: context.process,
    ...(manager && { service: manager }),
    inherited: sockets,
  });
  await agent.run(new AbortController().signal);
  return ExitCode.OK;
}
