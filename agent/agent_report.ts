/**
 * What the agent tells about itself: the bodies of `/api/v1/`, made from the state of its parts.
 *
 * @module
 */
import type { AnswerCache } from "./cache/answer_cache.ts";
import { formatRcode, formatType } from "./dns/codes.ts";
import { formatAddress } from "./dns/ip_address.ts";
import { formatName } from "./dns/name.ts";
import { formatRecord } from "./dns/record_text.ts";
import type { LookupReport, NamesReport, StatusProblem, StatusReport } from "./health/api.ts";
import type { MeshClient } from "./mesh/mesh_client.ts";
import { findNames } from "./names/find_names.ts";
import type { NameSources } from "./resolver/name_sources.ts";
import type { MeshState, Resolution } from "./resolver/resolver.ts";
import type { UpstreamGroup } from "./upstream/upstream_group.ts";

/** The parts that a status is made from. */
export interface ReportedParts {
  /** Version of the agent. */
  version: string;
  /** Since its start. */
  uptimeSeconds: number;
  /** `udp://…` and `tcp://…`. */
  listeners: string[];
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
  upstream: UpstreamGroup;
  /** The cache. */
  cache: AnswerCache;
  /** Its limit in octets. */
  cacheMaxBytes: number;
}

/** How many left-out entries a status lists. */
const REJECTED_SHOWN = 20;

/** The body of `/api/v1/status`. */
export function statusReport(parts: ReportedParts): StatusReport {
  const mesh = parts.mesh?.status();
  const problems = [...parts.problems, ...mesh?.problems ?? []];
  const { names } = parts;
  return {
    status: parts.waitingFor.length > 0 ? "waiting" : problems.length > 0 ? "degraded" : "ok",
    version: parts.version,
    uptimeSeconds: Math.floor(parts.uptimeSeconds),
    listeners: parts.listeners,
    waitingFor: parts.waitingFor,
    problems,
    node: parts.node,
    ...(mesh && { controlPlane: mesh.controlPlane }),
    names: {
      origin: names.origin,
      version: names.pushed?.version ?? "",
      receivedAt: names.pushed ? new Date(names.pushed.receivedAtMs).toISOString() : "",
      hosts: names.table.size,
      rejected: names.rejected.slice(0, REJECTED_SHOWN)
        .map(({ host, reason }) => `"${host}": ${reason}`),
      rejectedTotal: names.rejected.length,
      autoAllocated: parts.state.view.serveAutoAllocated ? "serve" : "forward",
    },
    upstreams: parts.upstream.status(),
    cache: {
      entries: parts.cache.entries,
      bytes: parts.cache.bytes,
      maxBytes: parts.cacheMaxBytes,
    },
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

/** The body of `/api/v1/lookup`. */
export function lookupReport(
  question: { name: string; type: number },
  { answer, source, why }: Resolution,
  tookMs: number,
): LookupReport {
  return {
    name: formatName(question.name),
    type: formatType(question.type),
    rcode: formatRcode(answer.rcode),
    answers: answer.answers.map(formatRecord),
    authority: answer.authority.map(formatRecord),
    source,
    why,
    tookMs: Math.round(tookMs * 100) / 100,
  };
}
