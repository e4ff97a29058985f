/**
 * `outrigger demo`: a control plane and an agent in one process on loopback, and what they resolve, asked
 * through a real socket. Each answer is held against what it must be.
 *
 * @module
 */
import { join } from "node:path";
import { ControlPlane } from "../../control_plane/control_plane.ts";
import { Agent } from "../app.ts";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load_config.ts";
import { AgentError } from "../system/agent_error.ts";
import { systemClock } from "../system/clock.ts";
import { makeTemporaryDirectory, removeTree, systemFiles } from "../system/files.ts";
import { openLog } from "../system/log.ts";
import { systemNetwork } from "../system/network.ts";
import { formatSocketAddress, type SocketAddress } from "../system/socket_address.ts";
import { systemWorld } from "../system/world.ts";
import type { CommandContext } from "./command_context.ts";
import { DEMO_FILES } from "./demo_mesh.ts";
import { showTranscript } from "./demo_transcript.ts";
import { DemoUpstream } from "./demo_upstream.ts";
import { ExitCode } from "./exit_codes.ts";

/** The names of the demo's upstream server: one of the outside, and one that a plain DNS would have. */
const UPSTREAM_NAMES = {
  "www.example.org": "192.0.2.44",
  "productpage.ns1.svc.cluster.local": "10.96.0.11",
};
/** How long the agent may take to have its names, in milliseconds. */
const READY_MS = 15_000;

/** Runs the demo. Exit code 1 if anything differed from what it must be. */
export async function runDemo(
  options: { exit: boolean },
  context: CommandContext,
): Promise<number> {
  const folder = await makeTemporaryDirectory("outrigger-demo-");
  await using stack = new AsyncDisposableStack();
  stack.defer(() => removeTree(folder));
  for (const [path, content] of Object.entries(DEMO_FILES)) {
    const file = join(folder, "mesh", path);
    await systemFiles.makeDirectory(join(file, ".."));
    await systemFiles.writeAtomic(file, content);
  }
  const plane = stack.use(await withFreePorts((ports) => startControlPlane(folder, ports)));
  const upstream = await DemoUpstream.start(systemNetwork, UPSTREAM_NAMES);
  stack.defer(() => upstream.close());
  const { agent, config } = await withFreePorts((ports) =>
    startAgent({ folder, plane, upstream, ports }, context)
  );
  stack.defer(() => agent.stop());
  await waitUntilReady(agent);
  const server = agent.dnsAddresses[0];
  const same = await showTranscript({ server, upstream, config }, context);
  if (options.exit) return same ? ExitCode.OK : ExitCode.FAILURE;
  showHowToGoOn(server, { agent, meshFolder: join(folder, "mesh") }, context);
  await untilInterrupted(context);
  return same ? ExitCode.OK : ExitCode.FAILURE;
}

/** The ports that the demo listens on. */
interface Ports {
  dns: number;
  health: number;
  grpc: number;
}

/** The usual ones, so that what is shown is what a user will see. */
const USUAL_PORTS: Ports = { dns: 15053, health: 15054, grpc: 15012 };
/** Those that the kernel chooses. */
const ANY_PORTS: Ports = { dns: 0, health: 0, grpc: 0 };

/** Starts something on the usual ports, or on any where another program has one of them. */
async function withFreePorts<T>(start: (ports: Ports) => Promise<T>): Promise<T> {
  try {
    return await start(USUAL_PORTS);
  } catch (error) {
    if (!(error instanceof AgentError) || !error.code.endsWith("LISTEN_FAILED")) throw error;
    return await start(ANY_PORTS);
  }
}

async function startControlPlane(folder: string, ports: Ports): Promise<ControlPlane> {
  const plane = new ControlPlane({
    ...systemWorld(),
    log: openLog({ level: "warn", format: "text" }),
    configDir: join(folder, "mesh"),
    stateDir: join(folder, "control-plane"),
    grpcListen: { address: "127.0.0.1", port: ports.grpc },
    trustDomain: "cluster.local",
    clusterDomain: "cluster.local",
  });
  try {
    await plane.start();
  } catch (error) {
    await plane[Symbol.asyncDispose]();
    throw error;
  }
  const workload = { namespace: "ns1", serviceAccount: "vm-sa", ttlSeconds: 3600 };
  await systemFiles.writeAtomic(join(folder, "token"), await plane.createToken(workload));
  return plane;
}

interface AgentSetting {
  folder: string;
  plane: ControlPlane;
  upstream: DemoUpstream;
  ports: Ports;
}

async function startAgent(
  setting: AgentSetting,
  context: CommandContext,
): Promise<{ agent: Agent; config: Config }> {
  const config = await demoConfig(setting, context);
  const log = openLog({ level: "warn", format: "text" });
  const reload = () => Promise.resolve(config);
  const agent = new Agent({ config, reload, log, process: context.process });
  try {
    await agent.start();
  } catch (error) {
    await agent.stop();
    throw error;
  }
  return { agent, config };
}

async function demoConfig(
  { folder, plane, upstream, ports }: AgentSetting,
  context: CommandContext,
): Promise<Config> {
  const values: Record<string, unknown> = {
    "node.name": "demo-vm",
    "node.namespace": "ns1",
    "node.serviceAccount": "vm-sa",
    "controlPlane.addresses": [formatSocketAddress(plane.grpcAddress)],
    "controlPlane.rootCert": plane.rootCertificatePath,
    "controlPlane.token": join(folder, "token"),
    "dns.listen": [`127.0.0.1:${ports.dns}`],
    "dns.upstreams": [formatSocketAddress(upstream.address)],
    "dns.searchDomains": [
      "ns1.svc.cluster.local",
      "svc.cluster.local",
      "cluster.local",
      "corp.example",
      "example.net",
    ],
    "dns.autoAllocated": "serve",
    "health.listen": `127.0.0.1:${ports.health}`,
    "stateDir": join(folder, "agent"),
  };
  return await loadConfig({
    file: join(folder, "config.yaml"),
    environment: {},
    flags: Object.entries(values)
      .map(([key, value]) => ({ path: key.split("."), value, source: "demo" })),
    hostname: context.process.hostname(),
    files: { readText: () => Promise.resolve(""), stat: () => Promise.resolve(undefined) },
  });
}

async function waitUntilReady(agent: Agent): Promise<void> {
  const giveUpMs = systemClock.monotonicMs() + READY_MS;
  while (agent.status().waitingFor.length > 0) {
    if (systemClock.monotonicMs() > giveUpMs) {
      throw new Error(`The demo's agent is not ready: ${JSON.stringify(agent.status().problems)}`);
    }
    await new Promise<void>((resolve) => systemClock.schedule(20, resolve));
  }
}

function showHowToGoOn(
  server: SocketAddress,
  { agent, meshFolder }: { agent: Agent; meshFolder: string },
  { print }: CommandContext,
): void {
  const dig = `dig @${server.address} -p ${server.port}`;
  const health = formatSocketAddress(agent.healthAddress!);
  print(`
Try it yourself, in another terminal:

  ${dig} reviews.ns1
  ${dig} mysql-instance1.us-east-1.rds.amazonaws.com +tcp
  outrigger lookup ledger.bank --health ${health}
  curl http://${health}/api/v1/status

The mesh is in ${meshFolder}: edit a file there, and the answers change within a second.
Ctrl-C ends the demo and removes it all.
`);
}

async function untilInterrupted({ process }: CommandContext): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const stops = [process.onSignal("SIGINT", resolve), process.onSignal("SIGTERM", resolve)];
  await promise;
  for (const stop of stops) stop();
}
