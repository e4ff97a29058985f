/**
 * `outrigger control-plane`.
 *
 * @module
 */
import { ControlPlane } from "../../control_plane/control_plane.ts";
import { joinLine, loadJoinPoint } from "../../control_plane/join_point.ts";
import { findBinaries } from "../../control_plane/join_server.ts";
import { JoinTokens } from "../../control_plane/join_tokens.ts";
import { AgentError } from "../system/agent_error.ts";
import { ownCommand, runGuarded, untilUnguarded } from "../system/guarded_program.ts";
import { runtimeVersions } from "../system/process.ts";
import { type LogLevel, openLog } from "../system/log.ts";
import { parseSocketAddress, type SocketAddress } from "../system/socket_address.ts";
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
  /** Where machines join. */
  httpsListen: string;
  /** The same by HTTP. */
  httpListen?: string;
  /** Name or address by which machines reach it. */
  host?: string;
  /** Folder of programs to hand out. */
  binaries?: string;
  /** Trust domain. */
  trustDomain: string;
  /** Cluster domain. */
  clusterDomain: string;
  /** Further names in its certificate. */
  serverName: string[];
  /** Least severe level that is written. */
  logLevel: LogLevel;
}

/**
 * Runs a control plane until it is told to end: in a child, which is started anew where it crashes. The
 * runtime's HTTP/2 server may, when an agent goes (see ARCHITECTURE).
 */
export async function controlPlane(
  flags: ControlPlaneFlags,
  context: CommandContext,
): Promise<number> {
  const unguarded = untilUnguarded();
  if (unguarded !== undefined) return await serve(flags, context, unguarded);
  const log = openLog({ level: flags.logLevel, format: "text" });
  return await runGuarded(ownCommand(), (signal) => {
    log.error("The control plane crashed, and is started anew", { signal });
  });
}

async function serve(
  flags: ControlPlaneFlags,
  context: CommandContext,
  unguarded: Promise<void>,
): Promise<number> {
  const grpcListen = addressOf("--grpc-listen", flags.grpcListen);
  const listen = addressOf("--https-listen", flags.httpsListen);
  const isAny = listen.address === "0.0.0.0" || listen.address === "::";
  const { program } = context.machine();
  const binaries = await findBinaries({
    folder: flags.binaries,
    program,
    arch: runtimeVersions().target.startsWith("aarch64") ? "arm64" : "x64",
  }, context.files);
  await using plane = new ControlPlane({
    ...systemWorld(),
    log: openLog({ level: flags.logLevel, format: "text" }),
    configDir: flags.configDir,
    stateDir: flags.stateDir,
    grpcListen,
    trustDomain: flags.trustDomain,
    clusterDomain: flags.clusterDomain,
    serverNames: flags.serverName,
    join: {
      listen,
      ...flags.httpListen !== undefined && {
        plainListen: addressOf("--http-listen", flags.httpListen),
      },
      host: flags.host ?? (isAny ? context.process.hostname() : listen.address),
      binaries,
    },
  });
  await plane.start();
  const { promise: ended, resolve: end } = Promise.withResolvers<void>();
  const stops = [
    context.process.onSignal("SIGTERM", end),
    context.process.onSignal("SIGINT", end),
  ];
  await Promise.race([ended, unguarded]);
  for (const stop of stops) stop();
  return ExitCode.OK;
}

/** Options of `control-plane token create`. */
export interface TokenFlags {
  /** Namespace. */
  namespace: string;
  /** Service account. */
  serviceAccount: string;
  /** How long it may be used. */
  ttl: string;
  /** How many machines may join with it. */
  uses: string;
  /** The control plane's folder. */
  stateDir: string;
  /** Without the line around it. */
  tokenOnly?: boolean;
}

/** Makes a token and prints it, in the line that a machine joins by unless told otherwise. */
export async function createToken(flags: TokenFlags, context: CommandContext): Promise<number> {
  const { stateDir, namespace, serviceAccount } = flags;
  const ttlSeconds = parseDuration(flags.ttl);
  if (ttlSeconds === undefined) {
    throw new AgentError("USAGE", `--ttl "${flags.ttl}" is no duration, e.g. 30m, 1h or 7d`);
  }
  if (!/^[1-9]\d{0,5}$/.test(flags.uses)) {
    throw new AgentError("USAGE", `--uses "${flags.uses}" is no number from 1 to 999999`);
  }
  for (const [flag, value] of Object.entries({ namespace, "service-account": serviceAccount })) {
    // RFC 1123 section 2.1, as Kubernetes has it: they become part of a line for a shell.
    if (/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(value)) continue;
    throw new AgentError("USAGE", `--${flag} "${value}" is no name of Kubernetes`);
  }
  const point = flags.tokenOnly ? undefined : await loadJoinPoint(stateDir, context.files);
  await context.files.makeDirectory(stateDir, { mode: 0o700 });
  const token = await new JoinTokens({ ...systemWorld(), stateDir }).create(
    { namespace, serviceAccount },
    { ttlSeconds, uses: Number(flags.uses) },
  );
  const line = point && joinLine(point, { token, workload: { namespace, serviceAccount } });
  context.print(`${line ?? token}\n`);
  return ExitCode.OK;
}

function addressOf(flag: string, text: string): SocketAddress {
  const address = parseSocketAddress(text);
  if (address !== undefined) return address;
  throw new AgentError("USAGE", `${flag} "${text}" is not ip:port, e.g. 127.0.0.1:15012`);
}

/** Seconds of `90s`, `30m`, `1h` or `7d`; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const match = /^([1-9]\d{0,8})([smhd])$/.exec(text);
  return match === null
    ? undefined
    : Number(match[1]) * { s: 1, m: 60, h: 3600, d: 86400 }[match[2] as "s" | "m" | "h" | "d"];
}
