/**
 * What the agent tells about itself: the bodies of `/api/v1/`, made from the state of its parts.
 *
 * @module
 */
import type { AnswerCache } from "./cache/answer_cache.ts";
import { formatRcode, formatType, RecordClass } from "./dns/codes.ts";
import { formatAddress } from "./dns/ip_address.ts";
import { formatName } from "./dns/name.ts";
import { formatRecord } from "./dns/record_text.ts";
import type {
  CacheStatus,
  FastPathStatus,
  LookupReport,
  NamesReport,
  StatusProblem,
  StatusReport,
} from "./health/api.ts";
import type { MeshClient } from "./mesh/mesh_client.ts";
import type { MetricReadings } from "./metrics/agent_metrics.ts";
import { findNames } from "./names/find_names.ts";
import type { NameSources } from "./resolver/name_sources.ts";
import type { MeshState, Resolver } from "./resolver/resolver.ts";
import type { Clock } from "./system/clock.ts";
import { formatSocketAddress, type SocketAddress } from "./system/socket_address.ts";
import type { UpstreamServers } from "./upstream/upstream_servers.ts";
import { upstreamProblems } from "./upstream_problems.ts";

/** The parts that a status is made from. */
export interface ReportedParts {
  /** Version of the agent. */
  version: string;
  /** Since its start. */
  uptimeSeconds: number;
  /** Where DNS is served. */
  listening: readonly SocketAddress[];
  /** Whether the fast path runs. */
  fastPath: FastPathStatus;
  /** See `Readiness`. */
  waitingFor: string[];
  /** Problems that the agent itself noticed (configuration, upstream servers, static names). */
  problems: StatusProblem[];
  /** Who this VM is. */
  node: StatusReport["node"];
  /** Undefined without a control plane. */
  mesh: MeshClient | undefined;
  /** Where names come from. */
  names: NameSources;
  /** What is in force. */
  state: MeshState;
  /** The upstream servers. */
  upstream: UpstreamServers;
  /** The cache. */
  cache: AnswerCache;
  /** Path of the control socket; empty without one. */
  controlSocket: string;
}

/** How many left-out entries a status lists. */
const REJECTED_SHOWN = 20;

/** The body of `/api/v1/status`. */
export function statusReport(parts: ReportedParts): StatusReport {
  const mesh = parts.mesh?.status();
  const upstreams = parts.upstream.status();
  const problems = [
    ...parts.problems,
    ...upstreamProblems(upstreams),
    ...mesh?.problems ?? [],
  ];
  const { names, node } = parts;
  return {
    status: parts.waitingFor.length > 0 ? "waiting" : problems.length > 0 ? "degraded" : "ok",
    version: parts.version,
    uptimeSeconds: Math.floor(parts.uptimeSeconds),
    listeners: parts.listening.map(formatSocketAddress)
      .flatMap((address) => [`udp://${address}`, `tcp://${address}`]),
    fastPath: parts.fastPath,
    waitingFor: parts.waitingFor,
    problems,
    node: {
      name: node.name,
      namespace: node.namespace,
      serviceAccount: node.serviceAccount,
      cluster: node.cluster,
      network: node.network,
      addresses: node.addresses,
    },
    ...(mesh && { controlPlane: mesh.controlPlane }),
    names: {
      origin: names.origin,
      version: names.pushed?.version ?? "",
      receivedAt: names.pushed ? new Date(names.pushed.receivedAtMs).toISOString() : "",
      hosts: names.table.size,
      rejected: names.rejected.slice(0, REJECTED_SHOWN)
        .map(({ host, reason }) => `"${host}": ${reason}`),
      rejectedTotal: names.rejectedTotal,
      autoAllocated: parts.state.view.serveAutoAllocated ? "serve" : "forward",
    },
    upstreams,
    cache: cacheStatus(parts.cache),
    controlSocket: parts.controlSocket,
  };
}

/** A status in a line, for who lists services. */
export function statusSummary({ names, waitingFor, problems }: StatusReport): string {
  const found = problems.length === 0
    ? []
    : [`${problems[0].message}${problems.length > 1 ? ` (and ${problems.length - 1} more)` : ""}`];
  const waiting = waitingFor.length === 0 ? [] : [`Waiting for ${waitingFor.join(", ")}`];
  return [`Serving DNS; names of the mesh: ${names.hosts}`, ...waiting, ...found].join("; ");
}

function cacheStatus({ entries, bytes, maxBytes, counts }: AnswerCache): CacheStatus {
  const { prefetch, evicted, ...lookups } = counts;
  return { entries, bytes, maxBytes, lookups, prefetches: prefetch, evictions: evicted };
}

/** What is read from the parts at each scrape of /metrics. */
export function metricReadings(
  { cache, names, mesh, residentBytes }: Pick<ReportedParts, "cache" | "names" | "mesh"> & {
    residentBytes: number;
  },
): MetricReadings {
  const connection = mesh?.status().controlPlane;
  return {
    cache: cacheStatus(cache),
    hosts: names.table.size,
    receivedMs: names.pushed?.receivedAtMs ?? 0,
    connected: connection?.state === "connected",
    certificateExpiryMs: Date.parse(connection?.certificate.expiresAt ?? "") || 0,
    residentBytes,
  };
}

/** The body of `/api/v1/names`. */
export function namesReport(
  state: MeshState,
  { pattern, limit }: { pattern: string; limit: number },
): NamesReport {
  const found = findNames(state, pattern);
  return {
    total: found.length,
    names: found.slice(0, limit).map(({ host, autoAllocated, served }) => ({
      host: host.host,
      addresses: host.addresses.map(formatAddress),
      registry: host.kubernetes ? "Kubernetes" : "External",
      namespace: host.namespace,
      altHosts: [...host.altHosts],
      autoAllocated,
      served,
    })),
  };
}

/** The body of `/api/v1/lookup`: a question resolved as a client's would be. */
export async function lookupReport(
  name: string,
  type: number,
  { resolver, clock }: { resolver: Resolver; clock: Clock },
): Promise<LookupReport> {
  const question = { name, type, class: RecordClass.IN };
  const request = { question, dnssecOk: false, checkingDisabled: false };
  const startedMs = clock.monotonicMs();
  const { answer, source, why } = resolver.answerHere(request) ?? await resolver.forward(request);
  return {
    name: formatName(name),
    type: formatType(type),
    rcode: formatRcode(answer.rcode),
    answers: answer.answers.map(formatRecord),
    authority: answer.authority.map(formatRecord),
    source,
    why,
    tookMs: Math.round((clock.monotonicMs() - startedMs) * 100) / 100,
  };
}
