/**
 * The part of the command line that changes this machine: `install`, `uninstall`, `capture`.
 *
 * @module
 */
import { type Command, Option } from "commander";
import { CAPTURE_MODES } from "../config/capture_modes.ts";
import type { CommandContext } from "./command_context.ts";

/** Adds the commands. @param done takes the exit code */
export function addMachineCommands(
  program: Command,
  context: CommandContext,
  done: (exitCode: number) => void,
): void {
  program.command("install")
    .description("make this machine use the agent; repeating it changes nothing")
    .option("--config <file>", "configuration to take over")
    .option(
      "--from <dir>",
      "join with the files that istioctl x workload entry configure wrote here",
    )
    .option("--control-plane <host:port>", "take names and certificates from here")
    .option("--token-file <file>", "token to join with")
    .option("--root-cert <file>", "root certificates that the control plane is trusted by")
    .option("--namespace <name>", "namespace that this machine joins")
    .option("--service-account <name>", "service account that it becomes")
    .option("--trust-domain <domain>", "trust domain of the mesh")
    .option("--cluster-domain <domain>", "domain of the cluster")
    .addOption(
      new Option("--capture <how>", "how the machine's lookups are sent to the agent")
        .choices(CAPTURE_MODES),
    )
    .option("--containers", "answer containers too, by nftables")
    .option("--no-containers", "answer them no more")
    .option("--dry-run", "show the plan, each step with its inverse and its reason; change nothing")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      `
Needs root and systemd. Each step's inverse is written down before the step is taken: whatever interrupts
it, running install again finishes it, and uninstall undoes it.

Examples:
  outrigger install --from vm --dry-run        what would be done, and why
  outrigger install --from vm
  outrigger install --config config.yaml --capture none`,
    )
    .action(async (options) => {
      const { install } = await import("./install.ts");
      done(await install(options, context));
    });
  program.command("uninstall")
    .description("give the machine back as it was; what others changed since stays")
    .option("--purge", "the user and the state as well")
    .option("--json", "for machines")
    .action(async (options) => {
      const { uninstall } = await import("./install.ts");
      done(await uninstall(options, context));
    });
  addCapture(program, context, done);
}

function addCapture(
  program: Command,
  context: CommandContext,
  done: (exitCode: number) => void,
): void {
  const capture = program.command("capture")
    .description("whether the machine's lookups go to the agent");
  capture.command("up").description("send them there; refused unless the agent answers")
    .option("--json", "for machines")
    .action(async (options) => {
      const { captureUp } = await import("./capture.ts");
      done(await captureUp(options, context));
    });
  capture.command("down").description("give the machine its own DNS back")
    .option("--json", "for machines")
    .action(async (options) => {
      const { captureDown } = await import("./capture.ts");
      done(await captureDown(options, context));
    });
  capture.command("status").description("how it is, and why; exit code 1 where it is not in force")
    .option("--json", "for machines")
    .action(async (options) => {
      const { captureStatus } = await import("./capture.ts");
      done(await captureStatus(options, context));
    });
  capture.command("forget-connections", { hidden: true })
    .description(
      "let sockets that live on take the way that holds now; part of capture by nftables",
    )
    .action(async () => {
      const { forgetConnections } = await import("./capture.ts");
      done(await forgetConnections(context));
    });
}
