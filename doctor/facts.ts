/**
 * What is seen of a VM's lookups on their way: plain data, so that what is wrong is a function of it. What
 * could not be looked at is not there, with the reason where one is worth telling.
 *
 * @module
 */
import type { StatusReport } from "../agent/health/api.ts";
import type { ResolvConf } from "../agent/host_dns/resolv_conf.ts";
import type { SocketAddress } from "../agent/system/socket_address.ts";
import type { CapturePlan } from "../installer/capture_plan.ts";
import type { VmFacts } from "../installer/facts.ts";
import type { UpgradeLook } from "../installer/pending_upgrade.ts";
import type { UnitState } from "./unit_states.ts";

/** The facts. */
export interface DoctorFacts {
  /** Whether this runs as root: without, some things cannot be seen. */
  isRoot: boolean;
  /** Whether outrigger's service is installed. */
  isInstalled: boolean;
  /** The configuration of the service. */
  config: ConfigFacts;
  /** How the VM is without outrigger; undefined where that took too long. */
  vm: VmFacts | undefined;
  /** /etc/resolv.conf as it is now. */
  resolvConf: ResolvConfNow;
  /** What systemd-resolved does now; undefined where it does not run. */
  resolved: ResolvedNow | undefined;
  /** Our table of nftables. */
  nftables: NftablesFacts;
  /** How lookups are to be sent to the agent; undefined where the VM took too long to tell. */
  capture: CaptureFacts | undefined;
  /** outrigger's units, by name; empty without systemd. */
  units: ReadonlyMap<string, UnitState>;
  /** An upgrade that is not confirmed; when it was looked for, milliseconds since 1970. */
  upgrade: { pending: UpgradeLook; nowMs: number };
  /** When the next try to start a broken agent is made; empty where none is pending. */
  nextRetry: string;
  /** What the agent and the last capture said last; empty where nothing was found. */
  lastWords: { agent: string; capture: string };
  /** What the agent tells of itself; a text says why it tells nothing. */
  status: StatusReport | string;
  /** A question that the agent answers by itself. */
  selfQuery: Tried;
  /** Names of its table, asked for in both ways. */
  meshNames: MeshNameFacts[];
  /** The nameservers of the agent, or of the VM where it cannot be asked. */
  upstreams: UpstreamFacts[];
  /** Undefined where none is configured, or the configuration is not known. */
  controlPlane: ControlPlaneFacts | undefined;
  /** Whether addresses of the table can be reached. */
  routes: RouteFacts | undefined;
  /** Programs that start containers: `Docker`, `Podman`; with nameservers of their own where they have some. */
  containers: { engine: "Docker" | "Podman"; nameservers: string[] }[];
}

/** The configuration, as far as it matters here. */
export interface ConfigFacts {
  /** Why it could not be read; empty where it was. What is below are the defaults then. */
  problem: string;
  /** Whether only root may read it: then nothing is wrong with it. */
  isDenied: boolean;
  /** Where the agent serves DNS. */
  dns: SocketAddress;
  /** Where it serves on port 53 too. */
  port53: string;
  /** Its health endpoint. */
  health: string;
  /** Whether containers are answered too (`capture.containers`). */
  containers: boolean;
}

/** /etc/resolv.conf as it is. */
export interface ResolvConfNow {
  /** Whether there is any. */
  exists: boolean;
  /** Whether outrigger wrote it, or the line that names the agent. */
  namesAgent: boolean;
  /** What it says. */
  content: ResolvConf;
  /** Who says in it that they wrote it; empty where nobody does. */
  writer: string;
  /** When it was changed last, milliseconds since 1970. */
  modifiedMs: number | undefined;
}

/** systemd-resolved as it is. */
export interface ResolvedNow {
  /** Its nameservers for all links, as `resolvectl dns` has them. */
  servers: string[];
  /** Its domains for all links, routing domains with their `~`. */
  domains: string[];
  /** Its links that have nameservers. */
  links: { name: string; servers: string[]; domains: string[] }[];
}

/** The table of nftables. */
export type NftablesFacts =
  | { state: "unseen"; reason: string }
  | { state: "missing" }
  /** `redirected`: packets that its rules sent to the agent. */
  | { state: "loaded"; rules: number; redirected: number };

/** The capture. */
export interface CaptureFacts {
  /** What is planned as the VM is now. */
  plan: Pick<CapturePlan, "captures" | "refusals" | "needsPort53">;
  /** Whether that is in force, and what is written down to be undone; undefined where only root sees it. */
  journals: JournalFacts | undefined;
}

/** The journals. */
export interface JournalFacts {
  /** Whether every step of the plan is in force. */
  inForce: boolean;
  /** How many changes wait to be undone: of a capture, and of an installation. */
  written: { capture: number; install: number };
  /** Whether the last installation came to its end. */
  isInstallFinished: boolean;
  /** Why a journal cannot be read; empty where it can. */
  problem: string;
}

/** A question that was asked. */
export type Tried =
  /** `answer`: the rcode, or addresses. */
  | { ok: true; answer: string[]; tookMs: number }
  | { ok: false; reason: string };

/** A name of the mesh. */
export interface MeshNameFacts {
  /** The name. */
  name: string;
  /** Its addresses in the agent's table. */
  expected: string[];
  /** Asked straight at the agent. */
  straight: Tried;
  /** Asked as any program asks. */
  machine: Tried;
}

/** A nameserver. */
export interface UpstreamFacts {
  /** `192.0.2.53:53`. */
  server: string;
  /** The domain that it alone is asked for. */
  domain?: string;
  /** What it said; undefined where it was left to the agent to ask. */
  tried: Tried | undefined;
  /** What the agent says of it; undefined where the agent was not asked. */
  seen?: { healthy: boolean; lastError: string };
}

/** The way to the control plane, by stage. */
export interface ControlPlaneFacts {
  /** `host:port`. */
  address: string;
  /** Addresses of the host, or why there are none. */
  resolved: Tried;
  /** Whether it takes a connection; undefined where it was not tried. */
  tcp: Tried | undefined;
  /** Whether it proves itself by TLS; undefined where it was not tried. */
  tls: Tried | undefined;
  /** The token's end, or why it cannot be read; undefined where that cannot be seen. */
  token: { expiresMs: number | undefined } | string | undefined;
  /** When this was looked at, milliseconds since 1970. */
  nowMs: number;
}

/** Whether mesh addresses have a route. */
export interface RouteFacts {
  /** How many hosts of the table were looked at, of how many. */
  tried: number;
  /** All that could have been. */
  total: number;
  /** Those without a route. */
  unroutable: { host: string; address: string }[];
}
