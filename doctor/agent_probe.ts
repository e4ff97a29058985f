/**
 * Looks at what the agent does: what it tells, what it and this machine answer, whom it asks, and where
 * its names lead.
 *
 * @module
 */
import { RecordType } from "../agent/dns/codes.ts";
import { canonicalAddress } from "../agent/dns/ip_address.ts";
import { parseName } from "../agent/dns/name.ts";
import type { NamesReport, StatusReport } from "../agent/health/api.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import { parseNameserver } from "../agent/system/nameserver.ts";
import { NO_PROGRAM } from "../agent/system/programs.ts";
import type { SocketAddress } from "../agent/system/socket_address.ts";
import { ask, askAddresses, within } from "./ask.ts";
import { probeControlPlane } from "./control_plane_probe.ts";
import type { DoctorOptions } from "./doctor_options.ts";
import type {
  ControlPlaneFacts,
  DoctorFacts,
  MeshNameFacts,
  Tried,
  UpstreamFacts,
} from "./facts.ts";
import { parseGetent, parseRoutes } from "./machine_output.ts";
import { meshSample } from "./mesh_sample.ts";

/** How long the agent's endpoint, and a lookup of this machine, may take, in milliseconds. */
const HTTP_MS = 3_000;
const MACHINE_LOOKUP_MS = 5_000;
/** How many names of the table are read, and how many of their hosts are looked at for a route. */
const NAMES_READ = 1_000;
const HOSTS_TRIED = 50;
/** A name that is reserved for such use (RFC 2606), and that every nameserver has an answer to. */
const PUBLIC_NAME = "example.org";

/** A nameserver that was not asked yet. */
export type UpstreamToAsk = Omit<UpstreamFacts, "tried">;

/** Looks at one agent. */
export class AgentProbe {
  readonly #options: DoctorOptions;

  /** Wires the parts; looks at nothing yet. */
  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  /** What the agent tells of itself, or why it does not. */
  async status(): Promise<StatusReport | string> {
    const status = await this.#fetch<StatusReport>("/api/v1/status");
    // Another program's endpoint may answer there.
    return typeof status === "string" || Array.isArray(status.problems)
      ? status
      : "another program answers there";
  }

  /** Its table. */
  async names(): Promise<NamesReport | undefined> {
    const names = await this.#fetch<NamesReport>(`/api/v1/names?limit=${NAMES_READ}`);
    return typeof names === "string" ? undefined : names;
  }

  async #fetch<T>(path: string): Promise<T | string> {
    const { config: { health }, fetch, world: { clock } } = this.#options;
    const read = async (): Promise<T | string> => {
      try {
        const response = await fetch(`http://${health}${path}`);
        return response.ok ? await response.json() : `status ${response.status}`;
      } catch (error) {
        // The runtime says it in layers, of which the innermost tells.
        return messageOf(error).replace(/^.*tcp connect error: /, "");
      }
    };
    const otherwise = `no answer in ${HTTP_MS} ms`;
    return await within(clock, { limitMs: HTTP_MS, otherwise }, read());
  }

  /** Where the agent serves: as it says, where the configuration is not known. */
  agentAddress(status: StatusReport | string): SocketAddress {
    const { config, capture: { settings } } = this.#options;
    if (config.problem === "" || typeof status === "string") return settings.dns;
    const own = status.listeners.flatMap((text) =>
      parseNameserver(text.replace(/^udp:\/\//, ""))?.address ?? []
    );
    return own.find(({ address }) => address === "127.0.0.1") ?? own[0] ?? settings.dns;
  }

  /** Names of the table, asked for in both ways. */
  async meshNames(
    names: NamesReport | undefined,
    address: SocketAddress,
  ): Promise<MeshNameFacts[]> {
    if (names === undefined) return [];
    const { clusterDomain } = this.#options.config.value.dns;
    return await Promise.all(
      meshSample(names, clusterDomain).map(async ({ name, addresses }) => {
        const type = addresses.some((text) => !text.includes(":")) ? RecordType.A : RecordType.AAAA;
        const [straight, machine] = await Promise.all([
          askAddresses({ address }, { name: parseName(name) ?? name, type }, this.#options.world),
          this.#machineLookup(name),
        ]);
        return { name, expected: addresses, straight, machine };
      }),
    );
  }

  /** As any program of this machine asks. */
  async #machineLookup(name: string): Promise<Tried> {
    const { clock } = this.#options.world;
    const startedMs = clock.monotonicMs();
    const { code, stdout } = await this.#options.runProgram(["getent", "ahosts", name], {
      timeoutMs: MACHINE_LOOKUP_MS,
    });
    const tookMs = clock.monotonicMs() - startedMs;
    if (code === NO_PROGRAM) return { ok: false, reason: "there is no getent to try it with" };
    if (code === 0) return { ok: true, answer: parseGetent(stdout), tookMs };
    return {
      ok: false,
      reason: tookMs >= MACHINE_LOOKUP_MS ? `no answer in ${MACHINE_LOOKUP_MS} ms` : "no address",
    };
  }

  /** Under nftables what root asks comes to the agent: that it says itself how its servers are. */
  async upstream(
    server: UpstreamToAsk,
    isRedirected: boolean,
  ): Promise<DoctorFacts["upstreams"][number]> {
    const nameserver = parseNameserver(server.server);
    const goesAstray = isRedirected && nameserver?.tls === undefined &&
      nameserver?.address.port === 53;
    if (nameserver === undefined || goesAstray) return { ...server, tried: undefined };
    const question = server.domain === undefined
      ? { name: PUBLIC_NAME, type: RecordType.A }
      : { name: server.domain, type: RecordType.SOA };
    const said = await ask(nameserver, question, this.#options.world);
    const tried: Tried = "reason" in said
      ? { ok: false, reason: said.reason }
      : { ok: true, answer: [said.rcode], tookMs: said.tookMs };
    return { ...server, tried };
  }

  /** The way to the control plane; undefined where none is known. */
  async controlPlane(
    status: StatusReport | string,
    servers: readonly UpstreamToAsk[],
  ): Promise<ControlPlaneFacts | undefined> {
    const { config: { value, problem }, world } = this.#options;
    const settings = problem === "" ? value.controlPlane : undefined;
    const told = typeof status === "string" ? undefined : status.controlPlane?.address;
    const address = told || settings?.addresses[0];
    if (address === undefined) return undefined;
    const upstreams = servers.filter(({ domain }) => domain === undefined)
      .flatMap(({ server }) => parseNameserver(server) ?? []);
    const { namespace, serviceAccount } = value.node;
    return await probeControlPlane({
      address,
      settings: settings && { ...settings, namespace, serviceAccount },
      upstreams,
    }, world);
  }

  /** Hosts spread over the table; automatic VIPs need an Envoy and no route. */
  async routes(names: NamesReport | undefined): Promise<DoctorFacts["routes"]> {
    if (names === undefined) return undefined;
    const hosts = names.names.filter(({ served, autoAllocated, addresses }) =>
      served && !autoAllocated && addresses.length > 0
    );
    const stride = Math.max(1, hosts.length / HOSTS_TRIED);
    const sample = Array.from(
      { length: Math.min(hosts.length, HOSTS_TRIED) },
      (_, i) => hosts[Math.floor(i * stride)],
    );
    const input = sample.flatMap(({ addresses }) =>
      addresses.map((address) => `route get ${address}\n`)
    ).join("");
    // One that fails makes the exit code, and not the end of it.
    const { code, stdout } = await this.#options.runProgram([
      "ip",
      "-oneline",
      "-force",
      "-batch",
      "-",
    ], {
      input,
    });
    if (code === NO_PROGRAM) return undefined;
    const reached = parseRoutes(stdout);
    return {
      tried: sample.length,
      total: names.total,
      unroutable: sample
        .filter(({ addresses }) =>
          !addresses.some((address) => reached.has(canonicalAddress(address) ?? ""))
        )
        .map(({ host, addresses: [address] }) => ({ host, address })),
    };
  }
}
