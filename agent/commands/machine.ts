/**
 * What the commands that change this machine work with.
 *
 * @module
 */
import { join } from "node:path";
import type { Config } from "../config/config.ts";
import { CONFIG_FILE_DEFAULT } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import type { StatusReport } from "../health/api.ts";
import { readResolvedLinks } from "../host_dns/resolved_links.ts";
import { messageOf } from "../system/agent_error.ts";
import { sleep } from "../system/clock.ts";
import type { FileTree } from "../system/file_tree.ts";
import type { Files } from "../system/files.ts";
import type { RunProgram } from "../system/programs.ts";
import { parseSocketAddress } from "../system/socket_address.ts";
import type { World } from "../system/world.ts";
import { InstallError } from "../../installer/errors.ts";
import { AGENT_USER } from "../../installer/install_plan.ts";
import { type CaptureRequest, Installer, type InstallerWorld } from "../../installer/installer.ts";
import { PORT_53_ADDRESS } from "../../systemd/units.ts";
import type { CommandContext } from "./command_context.ts";
import { askServer } from "./dns_stub.ts";
import { namesOfZones } from "./lookup_check.ts";

/** This machine, for those who change it. */
export interface Machine {
  /** The file system. */
  tree: FileTree;
  /** Other programs. */
  runProgram: RunProgram;
  /** Has the kernel forget the UDP exchanges with a port; returns how many. */
  forgetUdpExchanges(port: number): number;
  /**
   * Downloads a file. @param options `roots`: PEM certificates that vouch for the server, beside the usual
   *
   * @throws the network's error, or one that says what the server said
   */
  download(url: string, options: { roots: readonly string[] }): Promise<Uint8Array>;
  /** Time, sockets and the rest. */
  world: World;
  /** The path of this program; undefined where it is run from source. */
  program: string | undefined;
}

/** How long a fresh agent may take until it is ready: joining takes seconds, a first table too. */
const READY_MS = 60_000;
const POLL_MS = 200;

/** The installer of this machine, whose agent is configured so. */
export function installerOf(context: CommandContext, config: Config): Installer {
  const { tree, runProgram, world } = context.machine();
  const isServing = () => answers(config, world);
  const installerWorld: InstallerWorld = {
    tree,
    runProgram,
    files: context.files,
    resolvedLinks: () => readResolvedLinks(world),
    isServing,
    awaitServing: () => awaitServing({ config, context, isServing }),
    namesToTry: () =>
      namesOfZones(
        { health: config.health.listen, clusterDomain: config.dns.clusterDomain },
        context,
      ),
  };
  return new Installer(installerWorld);
}

/** The configuration of the service, with files that are not there yet. @throws {ConfigError} */
export function serviceConfig(
  context: CommandContext,
  newFiles: ReadonlyMap<string, string> = new Map(),
): Promise<Config> {
  const files: Pick<Files, "readText" | "stat"> = {
    readText: async (path) => newFiles.get(path) ?? await context.files.readText(path),
    stat: async (path) => {
      const isFolder = [...newFiles.keys()].some((file) => file.startsWith(join(path, "/")));
      return newFiles.has(path) || isFolder
        ? { mode: 0o640, sizeBytes: 0, modifiedMs: 0, isDirectory: isFolder }
        : await context.files.stat(path);
    },
  };
  return loadConfig({
    file: CONFIG_FILE_DEFAULT,
    environment: {},
    flags: [],
    hostname: context.process.hostname(),
    files,
  });
}

/** How a configuration wants lookups to be sent to the agent. */
export function captureRequest({ dns, node, capture }: Config): CaptureRequest {
  const listen = dns.listen.map((text) => parseSocketAddress(text)!);
  const { clusterDomain } = dns;
  return {
    mode: capture.mode,
    settings: {
      dns: listen.find(({ address }) => address === "127.0.0.1") ?? listen[0],
      port53: PORT_53_ADDRESS,
      meshSearchDomains: dns.searchDomains ??
        [`${node.namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain],
      clusterDomain,
      user: AGENT_USER,
      allNameservers: capture.allNameservers,
      containers: capture.containers,
    },
  };
}

/** Whether the agent answers a query that needs nobody else. */
async function answers(config: Config, world: World): Promise<boolean> {
  const { dns } = captureRequest(config).settings;
  try {
    const { data } = await askServer(dns, { name: "localhost", type: "A" }, world);
    return data.includes("127.0.0.1");
  } catch {
    return false;
  }
}

async function awaitServing(
  { config, context, isServing }: {
    config: Config;
    context: CommandContext;
    isServing: () => Promise<boolean>;
  },
): Promise<void> {
  const { world: { clock }, runProgram } = context.machine();
  const health = `http://${config.health.listen}`;
  const endMs = clock.monotonicMs() + READY_MS;
  for (;;) {
    const isReady = await context.fetch(`${health}/healthz/ready`)
      .then(async (response) => (await response.body?.cancel(), response.ok)).catch(() => false);
    if (isReady && await isServing()) return;
    const failed = await runProgram(["systemctl", "is-failed", "--quiet", "outrigger.service"]);
    if (failed.code === 0 || clock.monotonicMs() > endMs) break;
    await sleep(clock, POLL_MS, new AbortController().signal);
  }
  const status = await context.fetch(`${health}/api/v1/status`)
    .then((response) => response.json() as Promise<StatusReport>)
    .catch((error) => messageOf(error));
  const why = typeof status === "string" ? `${status}. See journalctl -u outrigger.` : [
    ...status.waitingFor.map((what) => `It waits for ${what}.`),
    ...status.problems.map(({ message, remedy }) => `${message}. ${remedy}`.trim()),
  ].join(" ");
  throw new InstallError(
    "NOT_SERVING",
    `The agent is installed and started, but not ready: ${why} The machine's DNS is as it was; it is ` +
      "sent to the agent as soon as that is ready. Run this again to see, or `outrigger uninstall`.",
  );
}
