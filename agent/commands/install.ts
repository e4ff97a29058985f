/**
 * `outrigger install` and `outrigger uninstall`.
 *
 * @module
 */
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { AgentError } from "../system/agent_error.ts";
import type { CapturePlan } from "../../installer/capture_plan.ts";
import { InstallError } from "../../installer/errors.ts";
import { planAll } from "../../installer/installer.ts";
import type { Plan } from "../../installer/plan.ts";
import { findLayout } from "../../installer/probe.ts";
import { describeInverse, describeStep, isQuiet, type Step } from "../../installer/steps.ts";
import { containerSockets } from "../../systemd/container_sockets.ts";
import type { Layout } from "../../systemd/layout.ts";
import { ENABLED_UNITS, PORT_53_UNIT, unitsOf } from "../../systemd/units.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";
import { installConfig, type InstallConfigFlags } from "./install_config.ts";
import { adviceOn, findFailingLookups } from "./lookup_check.ts";
import { captureRequest, installerOf, serviceConfig } from "./machine.ts";

/** The flags of `install`. */
export interface InstallFlags extends InstallConfigFlags {
  /** Only shows the plan. */
  dryRun?: boolean;
  /** For machines. */
  json?: boolean;
}

/** Makes this machine use the agent. Exit code 1 where a dry run finds that it cannot. */
export async function install(flags: InstallFlags, context: CommandContext): Promise<number> {
  const configFiles = await installConfig(flags, context.files);
  const config = await serviceConfig(
    context,
    new Map(configFiles.map(({ path, text }) => [path, text])),
  );
  await checkToken(flags, config, context);
  const request = captureRequest(config);
  const installer = installerOf(context, config);
  const facts = await installer.probe(request);
  const { layout } = facts;
  const { install, capture } = planAll(facts, {
    program: await programToCopy(layout, context),
    configFiles,
    units: unitsOf(layout),
    port53Unit: PORT_53_UNIT,
    containersUnit: containerSockets,
    enabledUnits: ENABLED_UNITS,
  }, request);
  if (flags.dryRun) {
    const inForce = await installer.inForce([...install.steps, ...capture.steps]);
    context.print(
      flags.json
        ? `${JSON.stringify(planReport(install, capture, inForce), null, 2)}\n`
        : formatPlan(install, capture, inForce),
    );
    return install.refusals.length === 0 ? ExitCode.OK : ExitCode.FAILURE;
  }
  const say = (text: string) => flags.json || context.print(`${text}\n`);
  const changed = await installer.install(install, (step) => say(`  ${describeStep(step)}`))
    .catch((error) => explain(error, context));
  const failing = capture.captures.length === 0 ? [] : await findFailingLookups({
    health: config.health.listen,
    clusterDomain: config.dns.clusterDomain,
  }, context);
  const advice = adviceOn(failing, capture.captures);
  const notes = [...capture.warnings, ...advice === undefined ? [] : [advice]];
  for (const note of notes) say(`note: ${note}`);
  if (flags.json) {
    const report = {
      changed: changed.map(describeStep),
      captures: capture.captures,
      warnings: notes,
      failingLookups: failing,
    };
    context.print(`${JSON.stringify(report, null, 2)}\n`);
    return ExitCode.OK;
  }
  const how = capture.captures.length === 0
    ? "its lookups stay as they are (capture: none)"
    : `its lookups go to the agent (${capture.captures.join(", ")})`;
  say(
    changed.length === 0
      ? `Nothing to change: outrigger runs on this machine, and ${how}.`
      : `outrigger runs on this machine, and ${how}. To undo it all: outrigger uninstall`,
  );
  return ExitCode.OK;
}

/**
 * A token that is given is tried before anything is changed. Not where the machine has joined already: its
 * token is spent, and it needs none.
 */
async function checkToken(
  flags: InstallFlags,
  { controlPlane, stateDir }: Config,
  context: CommandContext,
): Promise<void> {
  const { tokenFile, rootCert } = flags;
  if (tokenFile === undefined || rootCert === undefined || controlPlane === undefined) return;
  const { files } = context;
  if (await files.stat(join(stateDir, "credentials.json")) !== undefined) return;
  const token = (await files.readText(tokenFile)).trim();
  const { checkJoin } = await import("./join_check.ts");
  await checkJoin(controlPlane.addresses[0], {
    roots: await files.readText(rootCert),
    serverName: controlPlane.serverName,
    token,
    clock: context.machine().world.clock,
    files,
  });
}

/** A step that failed, with what the service said last. */
async function explain(error: unknown, context: CommandContext): Promise<never> {
  if (!(error instanceof InstallError) || error.code !== "STEP_FAILED") throw error;
  const { stdout } = await context.machine().runProgram([
    ...["journalctl", "--unit=outrigger.service", "--lines=5", "--output=cat", "--no-pager"],
  ]);
  const said = stdout.trim() === "" ? "" : `\nThe service said last:\n${stdout.trimEnd()}`;
  throw new InstallError(
    "STEP_FAILED",
    `${error.message}${said}\nMend it and run this again, or undo it: outrigger uninstall`,
    { cause: error },
  );
}

/** Gives the machine back. */
export async function uninstall(
  { purge = false, json = false }: { purge?: boolean; json?: boolean },
  context: CommandContext,
): Promise<number> {
  await refuseUnlessRoot(context);
  // Undoing needs no configuration, which may be what is broken.
  const config = await serviceConfig(context, MINIMAL);
  const { isPackage } = await findLayout(context.machine().tree);
  const { wasThere, problems } = await installerOf(context, config).uninstall({ purge });
  if (json) context.print(`${JSON.stringify({ wasThere, problems }, null, 2)}\n`);
  if (problems.length > 0) {
    throw new InstallError(
      "STEP_FAILED",
      `Not everything could be undone; mend it and run this again:\n${problems.join("\n")}`,
    );
  }
  if (!json) {
    context.print(
      !wasThere
        ? "Nothing to undo: outrigger is not installed on this machine.\n"
        : `The machine is as it was${leftBy({ purge, isPackage })}.\n`,
    );
  }
  return ExitCode.OK;
}

/** What an undone installation leaves, as the end of a sentence. */
function leftBy({ purge, isPackage }: { purge: boolean; isPackage: boolean }): string {
  const left = [
    ...isPackage ? ["the package"] : [],
    ...isPackage && !purge ? ["its configuration"] : [],
    ...purge ? [] : ["the user outrigger and its state (--purge removes them)"],
  ];
  return left.length === 0 ? "" : `, but for ${left.join(", ")}`;
}

/** A configuration that is one, for what does not depend on it. */
export const MINIMAL: ReadonlyMap<string, string> = new Map([
  ["/etc/outrigger/config.yaml", "names: { files: [none] }\n"],
]);

/** Refuses anybody else, before anything is tried that would half work. */
export async function refuseUnlessRoot(context: CommandContext): Promise<void> {
  const { stdout } = await context.machine().runProgram(["id", "-u"]);
  if (stdout.trim() === "0") return;
  throw new InstallError("INSTALL_REFUSED", "Only root can change this machine: try sudo.");
}

/** This program, where it is not the one that the units call. */
async function programToCopy(layout: Layout, context: CommandContext): Promise<string | undefined> {
  const { program, tree } = context.machine();
  if (program === layout.program) return undefined;
  if (program !== undefined) return program;
  if (await tree.look(layout.program) !== undefined) return undefined;
  throw new AgentError(
    "USAGE",
    `There is no ${layout.program}, and this runs from source: build the program (deno task build) and run ` +
      "its own `install`.",
  );
}

/** What `--dry-run --json` prints. @param inForce the steps that have nothing to do */
export function planReport(
  install: Plan,
  capture: CapturePlan,
  inForce: ReadonlySet<Step>,
): unknown {
  const steps = (all: readonly Step[]) =>
    all.map((step) => ({
      do: describeStep(step),
      undo: describeInverse(step),
      why: step.why,
      inForce: inForce.has(step),
    }));
  return {
    refusals: install.refusals,
    warnings: capture.warnings,
    trace: capture.trace,
    captures: capture.captures,
    install: steps(install.steps),
    capture: steps(capture.steps),
  };
}

/** The plan for people. @param inForce the steps that have nothing to do: they are only counted */
export function formatPlan(
  install: Plan,
  capture: CapturePlan,
  inForce: ReadonlySet<Step>,
): string {
  const lines = ["What was found, and what follows:"];
  for (const { fact, conclusion } of capture.trace) lines.push(`  ${fact}: ${conclusion}`);
  lines.push("", "Installation:", ...formatSteps(install.steps, inForce));
  if (capture.steps.length > 0) {
    lines.push(
      "",
      `Capture (${
        capture.captures.join(", ")
      }), by outrigger-capture.service, whenever the agent is ` +
        "ready; undone when the agent is stopped, stays dead or is uninstalled:",
      ...formatSteps(capture.steps, inForce),
    );
  }
  for (const warning of capture.warnings) lines.push("", `note: ${warning}`);
  for (const refusal of install.refusals) lines.push("", `refused: ${refusal}`);
  lines.push("", "Nothing was changed (--dry-run).");
  return `${lines.join("\n")}\n`;
}

/** In the order in which they are taken; what is only done on the way back stands where its turn is. */
function formatSteps(steps: readonly Step[], inForce: ReadonlySet<Step>): string[] {
  const open = steps.filter((step) => !inForce.has(step));
  const lines = open.flatMap((step, index) => [
    `  ${String(index + 1).padStart(2)}. ${
      isQuiet(step) && step.kind !== "own tree" ? "(only on the way back)" : describeStep(step)
    }`,
    `      why:  ${step.why}`,
    `      undo: ${describeInverse(step)}`,
  ]);
  const rest = steps.length - open.length;
  return rest === 0 ? lines : [...lines, `  ${rest} more are in force already.`];
}
