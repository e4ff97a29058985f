/**
 * The entry point: the real world for the command line, one line for an error, and the only exit.
 *
 * @module
 */
import { AgentUnreachableError } from "./commands/agent_api.ts";
import type { CommandContext } from "./commands/command_context.ts";
import { ExitCode } from "./commands/exit_codes.ts";
import { runProgram } from "./commands/program.ts";
import { ConfigError } from "./config/errors.ts";
import { AgentError } from "./system/agent_error.ts";
import { systemFiles } from "./system/files.ts";
import { forgetUdpExchanges } from "./system/conntrack.ts";
import { systemFileTree } from "./system/file_tree.ts";
import { downloadFile } from "./system/download.ts";
import { fetchHttp, fetchUnix } from "./system/http.ts";
import { inheritedSockets } from "./system/inherited_sockets.ts";
import { systemProcess } from "./system/process.ts";
import { runProgramOfMachine } from "./system/programs.ts";
import { openServiceManager } from "./system/service_manager.ts";
import { takeServiceVariables } from "./system/service_variables.ts";
import { systemWorld } from "./system/world.ts";

const encoder = new TextEncoder();
const context: CommandContext = {
  print: (text) => void Deno.stdout.writeSync(encoder.encode(text)),
  colour: Deno.stdout.isTerminal() && !Deno.env.get("NO_COLOR"),
  process: systemProcess,
  takeServiceStart() {
    const variables = takeServiceVariables(Deno.env, Deno.pid);
    const { descriptors } = variables;
    return {
      manager: openServiceManager(variables),
      sockets: descriptors.length === 0 ? [] : inheritedSockets(descriptors),
    };
  },
  files: systemFiles,
  machine: () => ({
    tree: systemFileTree,
    runProgram: runProgramOfMachine,
    forgetUdpExchanges,
    download: downloadFile,
    world: systemWorld(),
    program: Deno.build.standalone ? Deno.execPath() : undefined,
  }),
  fetch: (url) => fetchHttp(url, { timeoutMs: 10_000 }),
  control: (socket, target) => fetchUnix(socket, target, { method: "POST", timeoutMs: 10_000 }),
};

try {
  Deno.exit(await runProgram(Deno.args, context));
} catch (error) {
  // Anything else is a bug: it crashes with its stack, and systemd restarts the agent.
  if (!(error instanceof AgentError)) throw error;
  Deno.stderr.writeSync(encoder.encode(`outrigger: ${error.message}\n`));
  Deno.exit(exitCodeOf(error));
}

function exitCodeOf(error: AgentError): number {
  if (error instanceof ConfigError) return ExitCode.CONFIG;
  if (error instanceof AgentUnreachableError) return ExitCode.UNREACHABLE;
  return error.code === "USAGE" ? ExitCode.USAGE : ExitCode.FAILURE;
}
