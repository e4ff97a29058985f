/**
 * `outrigger doctor`: each step of a lookup's way, what is wrong with it, and what to do.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import { probeDoctor } from "../../doctor/probe.ts";
import type { Finding, FindingResult } from "../../doctor/finding.ts";
import { findings } from "../../doctor/findings.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";
import { MINIMAL } from "./install.ts";
import { captureRequest, installerOf, serviceConfig } from "./machine.ts";

/** Prints what was found. Exit code 1 where a check failed, 4 where no agent answers. */
export async function doctor(
  { health, json = false }: { health?: string; json?: boolean },
  context: CommandContext,
): Promise<number> {
  const { world, tree, runProgram } = context.machine();
  const { config, problem } = await configOf(context);
  const capture = captureRequest(config);
  const facts = await probeDoctor({
    world,
    tree,
    runProgram,
    fetch: context.fetch,
    probeVm: () => installerOf(context, config).probe(capture),
    config: {
      value: config,
      problem,
      isDenied: /denied/i.test(problem),
      health: health ?? config.health.listen,
    },
    capture,
  });
  const found = findings(facts);
  const counts = countOf(found);
  context.print(
    json
      ? `${JSON.stringify({ counts, findings: found }, null, 2)}\n`
      : formatFindings(found, context),
  );
  if (counts.failed === 0) return ExitCode.OK;
  return typeof facts.status === "string" ? ExitCode.UNREACHABLE : ExitCode.FAILURE;
}

/** A broken configuration is something to tell, and no reason to look at nothing. */
async function configOf(context: CommandContext) {
  try {
    return { config: await serviceConfig(context), problem: "" };
  } catch (error) {
    return { config: await serviceConfig(context, MINIMAL), problem: messageOf(error) };
  }
}

function countOf(found: readonly Finding[]): Record<FindingResult, number> {
  const count = (wanted: FindingResult) => found.filter(({ result }) => result === wanted).length;
  return {
    failed: count("failed"),
    warning: count("warning"),
    ok: count("ok"),
    skipped: count("skipped"),
  };
}

const COLOURS: Record<FindingResult, number> = { ok: 32, warning: 33, failed: 31, skipped: 90 };

/** Findings for people. */
export function formatFindings(
  found: readonly Finding[],
  { colour }: { colour: boolean },
): string {
  const width = Math.max(...found.map(({ check }) => check.length));
  const indent = " ".repeat(9);
  const lines = found.flatMap(({ check, result, evidence, remedy }) => {
    const word = result.padEnd(7);
    const shown = colour ? `\x1b[${COLOURS[result]}m${word}\x1b[0m` : word;
    const line = `${shown}  ${check.padEnd(width)}  ${evidence}`;
    return remedy === "" ? [line] : [line, `${indent}to do: ${remedy}`];
  });
  const { failed, warning, ok, skipped } = countOf(found);
  lines.push("", `${failed} failed, ${warning} warnings, ${ok} ok, ${skipped} skipped`);
  return `${lines.join("\n")}\n`;
}
