/**
 * The command line: subcommands, flags, help. What a command does is loaded when it is called, so that
 * `version` starts as fast as it can.
 *
 * @module
 */
import { Command, CommanderError, Option } from "commander";
import type { Override } from "../config/environment.ts";
import { LOG_LEVELS } from "../system/log.ts";
import { CONTROL_SOCKET_DEFAULT, HEALTH_ADDRESS_DEFAULT } from "./agent_api.ts";
import type { CommandContext } from "./command_context.ts";
import { EXIT_CODES_HELP, ExitCode } from "./exit_codes.ts";
import { addMachineCommands } from "./machine_program.ts";
import { RUN_FLAGS } from "./run_flags.ts";
import { addUpgradeCommands } from "./upgrade_program.ts";

/**
 * Runs one command line.
 *
 * @param args without the program's own name
 * @returns the exit code
 * @throws what the command throws
 */
export async function runProgram(args: string[], context: CommandContext): Promise<number> {
  let exitCode: number = ExitCode.OK;
  const program = buildProgram(context, (code) => exitCode = code);
  try {
    await program.parseAsync(args, { from: "user" });
  } catch (error) {
    // commander has already said on standard error what is wrong.
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.OK : ExitCode.USAGE;
    throw error;
  }
  return exitCode;
}

function buildProgram(context: CommandContext, done: (exitCode: number) => void): Command {
  const program = new Command("outrigger")
    .description("Resolves the names of a service mesh on a virtual machine.")
    // A flag belongs to the subcommand that it stands behind, also where one above has the same.
    .enablePositionalOptions()
    .exitOverride()
    .configureOutput({ writeOut: (text) => context.print(text) })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError("(outrigger --help lists every command)")
    .addHelpText(
      "after",
      `
Examples:
  outrigger demo --exit                        see it work, on loopback, without root
  outrigger install --from vm --dry-run        what would be changed on this machine, and why
  outrigger run --names mesh.yaml              serve names of a file on 127.0.0.1:15053
  outrigger run --config /etc/outrigger/config.yaml
  outrigger doctor                             what is wrong, and what to do about it
  outrigger lookup productpage.ns1             the answer, and why
  outrigger status --json                      for machines

${EXIT_CODES_HELP}`,
    );
  addRun(program, context, done);
  addMachineCommands(program, context, done);
  addUpgradeCommands(program, context, done);
  addQuestions(program, context, done);
  addCache(program, context, done);
  addControlPlane(program, context, done);
  program.command("demo")
    .description("control plane and agent in one process on loopback; shows what they resolve")
    .option("--exit", "end after the transcript: 0, or 1 if anything differed")
    .action(async ({ exit }) => {
      const { runDemo } = await import("./demo.ts");
      done(await runDemo({ exit: exit === true }, context));
    });
  program.command("version")
    .description("version, commit, Deno and V8")
    .option("--json", "for machines")
    .action(async (options) => {
      const { version } = await import("./version.ts");
      done(version(options, context));
    });
  return program;
}

function addRun(program: Command, context: CommandContext, done: (code: number) => void): void {
  const run = program.command("run")
    .description("run the agent in the foreground")
    .option("--config <file>", "configuration file (default: /etc/outrigger/config.yaml)")
    .addHelpText(
      "after",
      `
The configuration comes from the file, then OUTRIGGER_* variables, then these flags; later ones win.
SIGHUP reads it again; a wrong one is refused and the old one stays. SIGTERM answers what is under way and
ends.

Examples:
  outrigger run --names mesh.yaml --upstream 192.0.2.53
  outrigger run --control-plane istiod.example.org:15012 --root-cert root-cert.pem --token istio-token`,
    );
  for (const { flags, description, list } of RUN_FLAGS) {
    const option = new Option(flags, description);
    if (list) option.argParser((value: string, all: string[] = []) => [...all, value]);
    run.addOption(option);
  }
  run.action(async (options: Record<string, unknown>) => {
    const overrides = RUN_FLAGS.flatMap(({ flags, path }): Override[] => {
      const option = new Option(flags);
      const value = options[option.attributeName()];
      return value === undefined ? [] : [{ path, value, source: option.long! }];
    });
    const { run } = await import("./run.ts");
    const config = options.config as string | undefined;
    done(await run({ ...(config !== undefined && { config }), flags: overrides }, context));
  });
}

function addQuestions(
  program: Command,
  context: CommandContext,
  done: (code: number) => void,
): void {
  const health = () =>
    new Option("--health <ip:port>", "health address of the agent").default(HEALTH_ADDRESS_DEFAULT)
      .env("OUTRIGGER_HEALTH_LISTEN");
  program.command("status")
    .description("what is going on, what is wrong, and what to do about it")
    .option("--json", "for machines").addOption(health())
    .action(async (options) => {
      const { status } = await import("./status.ts");
      done(await status(options, context));
    });
  program.command("doctor")
    .description(
      "each step of a lookup's way, what is wrong with it, and what to do; changes nothing",
    )
    .option("--health <ip:port>", "health address of the agent; the configuration's unless given")
    .option("--json", "for machines")
    .addHelpText(
      "after",
      `
Anybody may run it; what only root may see is skipped, and said to be. It works where the agent is dead, or
not installed at all.`,
    )
    .action(async (options) => {
      const { doctor } = await import("./doctor.ts");
      done(await doctor(options, context));
    });
  program.command("lookup")
    .description("the answer to a question, and why")
    .argument("<name>", "e.g. productpage.ns1").argument("[type]", "e.g. AAAA", "A")
    .option("--json", "for machines").addOption(health())
    .action(async (name, type, options) => {
      const { lookup } = await import("./lookup.ts");
      done(await lookup({ name, type, ...options }, context));
    });
  program.command("names")
    .description("the name table, or the part that matches")
    .argument("[pattern]", "e.g. '*.ns1.*', or a part of a name", "")
    .option("--limit <n>", "print at most so many", "1000")
    .option("--json", "for machines").addOption(health())
    .action(async (pattern, options) => {
      const { names } = await import("./names.ts");
      done(await names({ pattern, ...options }, context));
    });
}

function addCache(program: Command, context: CommandContext, done: (code: number) => void): void {
  program.command("cache").description("what the agent keeps of the nameservers' answers")
    .command("flush")
    .description("forget it: the nameservers are asked anew")
    .argument(
      "[name]",
      "this name and all below it, e.g. example.org; everything unless given",
      ".",
    )
    .option("--json", "for machines")
    .addOption(
      new Option("--socket <path>", "control socket of the agent").default(CONTROL_SOCKET_DEFAULT)
        .env("OUTRIGGER_CONTROL_SOCKET"),
    )
    .addHelpText(
      "after",
      `
Mesh names are not cached: they change with each push. outrigger status counts hits and misses.
Only the agent's own user and root may do this.

Examples:
  outrigger cache flush                        everything
  outrigger cache flush example.org            example.org and www.example.org
  outrigger cache flush --socket state/control.sock     an agent with --state-dir state`,
    )
    .action(async (name, options) => {
      const { flushCache } = await import("./cache.ts");
      done(await flushCache({ name, ...options }, context));
    });
}

function addControlPlane(
  program: Command,
  context: CommandContext,
  done: (code: number) => void,
): void {
  const repeated = (value: string, all: string[]) => [...all, value];
  const stateDir = () =>
    new Option("--state-dir <dir>", "folder for its root certificate, tokens and VIPs")
      .default("/var/lib/outrigger-control-plane");
  const logLevel = () =>
    new Option("--log-level <level>", "least severe level").choices(LOG_LEVELS).default("info");
  const plane = program.command("control-plane")
    .enablePositionalOptions()
    .description("run the embedded control plane: istiod's protocol from a folder of YAML")
    .option(
      "--config-dir <dir>",
      "folder of Services, EndpointSlices and ServiceEntries; one sub-folder a cluster",
    )
    .addOption(stateDir())
    .option("--grpc-listen <ip:port>", "serve agents here", "127.0.0.1:15012")
    .option("--https-listen <ip:port>", "serve machines that join here", "127.0.0.1:15443")
    .option(
      "--http-listen <ip:port>",
      "the same without TLS, for a busybox wget; every download is held against the line's sums",
    )
    .option(
      "--host <name>",
      "name or address by which machines reach it; the address of --https-listen unless given",
    )
    .option(
      "--binaries <dir>",
      "folder of programs to hand out, e.g. outrigger-linux-x64; this one unless given",
    )
    .option("--trust-domain <domain>", "trust domain of the mesh", "cluster.local")
    .option("--cluster-domain <domain>", "domain of the clusters", "cluster.local")
    .option("--server-name <name>", "further name in its certificate (repeatable)", repeated, [])
    .addOption(logLevel())
    .addHelpText(
      "after",
      `
Examples:
  outrigger control-plane --config-dir mesh --state-dir state
  outrigger control-plane token create --namespace vm --service-account vm-sa --ttl 1h --state-dir state`,
    )
    .action(async (options, command: Command) => {
      if (options.configDir === undefined) command.error("error: --config-dir is needed");
      const { controlPlane } = await import("./control_plane.ts");
      done(await controlPlane(options, context));
    });
  plane.command("token").description("tokens that agents join with")
    .command("create")
    .description("make a token, and print the line to paste on the machine; it is shown only here")
    .requiredOption("--namespace <name>", "namespace that its bearer joins")
    .requiredOption("--service-account <name>", "service account that its bearer gets")
    .option("--ttl <duration>", "how long it may be used: 90s, 30m, 1h, 7d", "1h")
    .option("--uses <number>", "how many machines may join with it", "1")
    .option("--token-only", "print the token alone")
    .addOption(stateDir())
    .action(async (options) => {
      const { createToken } = await import("./control_plane.ts");
      done(await createToken(options, context));
    });
}
