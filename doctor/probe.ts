/**
 * Looks at a VM, as far as whoever runs this may; changes nothing. Each look takes a bounded time, and what
 * does not depend on another is looked at meanwhile.
 *
 * @module
 */
import { RecordType } from "../agent/dns/codes.ts";
import type { StatusReport } from "../agent/health/api.ts";
import { formatNameserver } from "../agent/system/nameserver.ts";
import { NO_PROGRAM, type RunProgram } from "../agent/system/programs.ts";
import { bridgesBySocket } from "../installer/capture/containers.ts";
import { planCapture } from "../installer/capture_plan.ts";
import type { VmFacts } from "../installer/facts.ts";
import { findPendingUpgrade } from "../installer/pending_upgrade.ts";
import { AgentProbe, type UpstreamToAsk } from "./agent_probe.ts";
import { askAddresses } from "./ask.ts";
import type { DoctorOptions } from "./doctor_options.ts";
import type { DoctorFacts } from "./facts.ts";
import { MachineProbe } from "./machine_probe.ts";

/** How long a program may take unless it is given more, in milliseconds. */
const PROGRAM_MS = 3_000;
/** How many nameservers are asked. */
const UPSTREAMS_ASKED = 16;

/** Looks. */
export async function probeDoctor(options: DoctorOptions): Promise<DoctorFacts> {
  const runProgram: RunProgram = (command, limits) =>
    options.runProgram(command, { timeoutMs: PROGRAM_MS, ...limits })
      .catch(() => ({ code: NO_PROGRAM, stdout: "", stderr: "" }));
  const machine = new MachineProbe({ ...options, runProgram });
  const agent = new AgentProbe({ ...options, runProgram });
  const { config, capture: { settings } } = options;
  const [isRoot, vm, status, units, nftables, isInstalled] = await Promise.all([
    machine.isRoot(),
    machine.vm(),
    agent.status(),
    machine.units(),
    machine.nftables(),
    machine.exists("/etc/systemd/system/outrigger.service"),
  ]);
  const dns = agent.agentAddress(status);
  // As `capture up` plans: bridges that the agent does not serve yet are a finding of their own.
  const plan = vm && planCapture(
    { ...vm, containerBridges: bridgesBySocket(vm, settings).served },
    options.capture.mode,
    settings,
  );
  const isRedirected = nftables.state === "loaded" ||
    nftables.state === "unseen" && (plan?.captures.includes("nftables") ?? false);
  const upstreams = upstreamsOf(status, vm);
  const names = typeof status === "string" ? undefined : await agent.names();
  const [
    selfQuery,
    meshNames,
    askedUpstreams,
    controlPlane,
    routes,
    resolved,
    resolvConf,
    journals,
    containers,
    words,
    nextRetry,
    pending,
  ] = await Promise.all([
    askAddresses({ address: dns }, { name: "localhost", type: RecordType.A }, options.world),
    agent.meshNames(names, dns),
    Promise.all(upstreams.map((server) => agent.upstream(server, isRedirected))),
    agent.controlPlane(status, upstreams),
    agent.routes(names),
    vm?.resolved === undefined ? undefined : machine.resolved(),
    machine.resolvConf(),
    isRoot && plan !== undefined ? machine.journals(plan.steps) : undefined,
    machine.containers(vm),
    machine.lastWords(),
    machine.nextRetry(),
    findPendingUpgrade(options.world.files),
  ]);
  return {
    isRoot,
    isInstalled,
    config: {
      problem: config.problem,
      isDenied: config.isDenied,
      dns,
      port53: settings.port53,
      health: config.health,
      containers: settings.containers,
    },
    vm,
    resolvConf,
    resolved,
    // Once more: lookups have been made since.
    nftables: nftables.state === "loaded" ? await machine.nftables() : nftables,
    capture: plan && { plan, journals },
    units,
    upgrade: { pending, nowMs: options.world.clock.wallMs() },
    nextRetry,
    lastWords: words,
    status,
    selfQuery,
    meshNames,
    upstreams: askedUpstreams,
    controlPlane,
    routes,
    containers,
  };
}

/** The agent's nameservers, or those of the VM that it would have. */
function upstreamsOf(status: StatusReport | string, vm: VmFacts | undefined): UpstreamToAsk[] {
  const all = typeof status !== "string"
    ? status.upstreams.map(({ server, domain, healthy, lastError }) => ({
      server,
      ...(domain !== undefined && { domain }),
      seen: { healthy, lastError },
    }))
    : vm === undefined
    ? []
    : [
      ...vm.dns.servers.map((server) => ({ server: formatNameserver(server) })),
      ...vm.dns.domains.flatMap(({ domain, servers }) =>
        servers.map((server) => ({ server: formatNameserver(server), domain }))
      ),
    ];
  return all.slice(0, UPSTREAMS_ASKED);
}
