/**
 * `outrigger capture up|down|status`: whether this machine's lookups go to the agent.
 *
 * @module
 */
import { AgentError, messageOf } from "../system/agent_error.ts";
import { InstallError } from "../../installer/errors.ts";
import { describeStep } from "../../installer/steps.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";
import { MINIMAL, refuseUnlessRoot } from "./install.ts";
import { captureRequest, installerOf, serviceConfig } from "./machine.ts";

const DNS_PORT = 53;

/** Sends the machine's lookups to the agent. */
export async function captureUp(
  { json = false }: { json?: boolean },
  context: CommandContext,
): Promise<number> {
  await refuseUnlessRoot(context);
  const config = await serviceConfig(context);
  const { plan, changed, hadChanged, rivals } = await installerOf(context, config)
    .captureUp(captureRequest(config));
  const { captures, warnings } = plan;
  if (json) {
    const report = { captures, hadChanged, rivals, warnings, changed: changed.map(describeStep) };
    context.print(`${JSON.stringify(report, null, 2)}\n`);
    return ExitCode.OK;
  }
  const by = captures.join(", ");
  context.print(
    captures.length === 0
      ? "capture is none: lookups stay as they are\n"
      : changed.length === 0
      ? `nothing to change: lookups go to the agent (${by})\n`
      : hadChanged
      ? `the machine's DNS had changed${
        rivals.length === 0 ? "" : ` (written by ${rivals.join(" or ")})`
      }: lookups go to the agent again (${by})\n`
      : `lookups go to the agent (${by})\n`,
  );
  for (const warning of warnings) context.print(`note: ${warning}\n`);
  return ExitCode.OK;
}

/** Gives the machine its own DNS back. */
export async function captureDown(
  { json = false }: { json?: boolean },
  context: CommandContext,
): Promise<number> {
  await refuseUnlessRoot(context);
  const config = await serviceConfig(context, MINIMAL);
  const problems = await installerOf(context, config).captureDown();
  if (json) context.print(`${JSON.stringify({ problems }, null, 2)}\n`);
  if (problems.length > 0) {
    throw new InstallError(
      "STEP_FAILED",
      `Not all of the capture could be undone; mend it and run this again:\n${problems.join("\n")}`,
    );
  }
  if (!json) {
    context.print(
      "the machine has its own DNS, until the agent captures again (within a minute, where it runs)\n" +
        "for good: outrigger install --capture none\n",
    );
  }
  return ExitCode.OK;
}

/** Says how it is. Exit code 1 where lookups do not go to the agent as they should. */
export async function captureStatus(
  { json = false }: { json?: boolean },
  context: CommandContext,
): Promise<number> {
  await refuseUnlessRoot(context);
  const config = await serviceConfig(context);
  const { plan, inForce } = await installerOf(context, config)
    .captureStatus(captureRequest(config));
  const { captures, trace, warnings, refusals } = plan;
  if (json) {
    const report = { inForce, captures, trace, warnings, refusals };
    context.print(`${JSON.stringify(report, null, 2)}\n`);
  } else {
    const lines = [
      inForce ? `in force: ${captures.join(", ") || "none"}` : "not in force",
      ...trace.map(({ fact, conclusion }) => `  ${fact}: ${conclusion}`),
      ...warnings.map((text) => `note: ${text}`),
      ...refusals.map((text) => `refused: ${text}`),
    ];
    context.print(`${lines.join("\n")}\n`);
  }
  return inForce ? ExitCode.OK : ExitCode.FAILURE;
}

/** Lets sockets that live on take the way that holds now: the kernel keeps each on that of its first packet. */
export async function forgetConnections(context: CommandContext): Promise<number> {
  await refuseUnlessRoot(context);
  try {
    const count = context.machine().forgetUdpExchanges(DNS_PORT);
    context.print(`forgot ${count} DNS exchanges\n`);
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    // They end by themselves when nothing is sent for half a minute or two.
    context.print(`sockets that live on keep their way for now: ${messageOf(error)}\n`);
  }
  return ExitCode.OK;
}
