/**
 * `outrigger control-plane`.
 *
 * @module
 */
import { ControlPlane } from "../../control_plane/control_plane.ts";
import { JoinTokens } from "../../control_plane/join_tokens.ts";
import { AgentError } from "../system/agent_error.ts";
import { type LogLevel, openLog } from "../system/log.ts";
import { parseSocketAddress } from "../system/socket_address.ts";
import { systemWorld } from "../system/world.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";

/** Options of `control-plane`. */
export interface ControlPlaneFlags {
  /** Folder of objects. */
  configDir: string;
  /** Folder of its own state. */
  stateDir: string;
  /** Where agents connect. */
  grpcListen: string;
  /** Trust domain. */
  trustDomain: string;
  /** Cluster domain. */
  clusterDomain: string;
  /** Further names in its certificate. */
  serverName: string[];
  /** Least severe level that is written. */
  logLevel: LogLevel;
}

/** Runs a control plane until it is told to end. */
export async function controlPlane(
  flags: ControlPlaneFlags,
  context: CommandContext,
): Promise<number> {
  const grpcListen = parseSocketAddress(flags.grpcListen);
  if (grpcListen === undefined) {
    throw new AgentError(
      "USAGE",
      `--grpc-listen "${flags.grpcListen}" is not ip:port, e.g. 127.0.0.1:15012`,
    );
  }
  await using plane = new ControlPlane({
    ...systemWorld(),
    log: openLog({ level: flags.logLevel, format: "text" }),
    configDir: flags.configDir,
    stateDir: flags.stateDir,
    grpcListen,
    trustDomain: flags.trustDomain,
    clusterDomain: flags.clusterDomain,
    serverNames: flags.serverName,
  });
  await plane.start();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const stops = [
    context.process.onSignal("SIGTERM", end),
    context.process.onSignal("SIGINT", end),
  ];
  await ended;
  for (const stop of stops) stop();
  return ExitCode.OK;
}

/** Makes a token and prints it. */
export async function createToken(
  options: { namespace: string; serviceAccount: string; ttl: string; stateDir: string },
  context: CommandContext,
): Promise<number> {
  const ttlSeconds = parseDuration(options.ttl);
  if (ttlSeconds === undefined) {
    throw new AgentError("USAGE", `--ttl "${options.ttl}" is no duration, e.g. 30m, 1h or 7d`);
  }
  const { namespace, serviceAccount, stateDir } = options;
  await context.files.makeDirectory(stateDir, { mode: 0o700 });
  const tokens = new JoinTokens({ ...systemWorld(), stateDir });
  const token = await tokens.create({ namespace, serviceAccount }, { ttlSeconds });
  context.print(`${token}\n`);
  return ExitCode.OK;
}

/** Seconds of `90s`, `30m`, `1h` or `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text);
  return match === null
    ? undefined
    : Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86400 }[match[2] as "s" | "m" | "h" | "d"];
}
