/**
 * Lookup of a question in the name table: which host it means, and what is answered for it. Pure: table
 * and view in, outcome out.
 *
 * A name is tried as a host; as a short form of one; with a search domain cut off (autopath); under a
 * wildcard; with a search domain cut off and under a wildcard. The first that fits decides.
 *
 * @module
 */
import { type Answer, localAnswer } from "../dns/answer.ts";
import { RecordType } from "../dns/codes.ts";
import { isWithin, joinNames, withoutSuffix } from "../dns/name.ts";
import {
  addressRecord,
  cnameRecord,
  minimalAnyRecord,
  ptrRecord,
  type ResourceRecord,
  soaRecord,
  srvRecord,
} from "../dns/record.ts";
import type { MeshHost, NameTable } from "./name_table.ts";

/** TTL of mesh answers, in seconds: what Istio's agent gives, so that addresses are never old. */
export const MESH_TTL_SECONDS = 30;
/** TTL and MINIMUM of local SOA records, in seconds: a stub must not hide a new service for long. */
export const NEGATIVE_TTL_SECONDS = 5;

/** How one agent sees the table. */
export interface MeshView {
  /** Canonical cluster domain. */
  clusterDomain: string;
  /** Namespace of this node: what a name of one label is looked up in. */
  namespace: string;
  /** Canonical search domains of the VM's stubs, those of the mesh included. */
  searchDomains: readonly string[];
  /** Whether hosts with nothing but automatic VIPs are answered here. */
  serveAutoAllocated: boolean;
}

/** The question, as far as the table cares. */
export interface MeshQuestion {
  /** Canonical name. */
  name: string;
  /** Type number. */
  type: number;
}

/** How a name came to mean a host. */
export interface MeshMatch {
  /** The host of the table. */
  host: MeshHost;
  /** The name that the host is answered under after the CNAME; the question's own where there is none. */
  target: string;
  /** Which step of the lookup found it. */
  form: "host" | "alias" | "short form" | "wildcard";
  /** The search domain that was cut off; undefined where none was. */
  searchDomain?: string;
}

/** What the mesh says to a question. */
export type MeshOutcome =
  /** The answer. */
  | { kind: "answer"; answer: Answer; match?: MeshMatch; reason: string }
  /** Nothing: others may answer. `afterNxdomain` is better than their NXDOMAIN. */
  | { kind: "pass"; reason: string; afterNxdomain?: Answer };

/**
 * Answers a question from the table.
 *
 * @param rotation any whole number >= 0; which address comes first
 */
export function lookupMesh(
  { table, view }: { table: NameTable; view: MeshView },
  question: MeshQuestion,
  rotation: number,
): MeshOutcome {
  if (question.type === RecordType.PTR) {
    const reverse = answerPtr(table, question.name);
    if (reverse !== undefined) return reverse;
  }
  if (question.type === RecordType.SRV && question.name.startsWith("_")) {
    return answerSrv(table, view, question.name);
  }
  const match = findHost(table, view, question.name);
  if (match === undefined) return { kind: "pass", reason: "no host of the mesh has this name" };
  const addresses = servedAddresses(match.host, view);
  if (addresses.length === 0) {
    return {
      kind: "pass",
      reason:
        `"${match.host.host}" has only automatic VIPs, which are left to the upstream servers`,
    };
  }
  return answerHost(match, addresses, { question, view, rotation });
}

/** The addresses of a host that are answered here. */
export function servedAddresses(host: MeshHost, view: MeshView): readonly Uint8Array[] {
  return view.serveAutoAllocated ? host.addresses : host.plainAddresses;
}

/** The mesh's own search domains of a node, as a Kubernetes pod of its namespace would have them. */
export function meshSearchDomains(
  { namespace, clusterDomain }: { namespace: string; clusterDomain: string },
): string[] {
  return [`${namespace}.svc.${clusterDomain}`, `svc.${clusterDomain}`, clusterDomain];
}

/** Finds the host that a name means. */
export function findHost(table: NameTable, view: MeshView, name: string): MeshMatch | undefined {
  const direct = findDirect(table, view, name);
  if (direct !== undefined) return { ...direct, target: name };
  for (const searchDomain of view.searchDomains) {
    const cut = withoutSuffix(name, searchDomain);
    if (cut === undefined) continue;
    const found = isWithin(searchDomain, view.clusterDomain)
      ? findDirect(table, view, cut)
      // Under the VM's own domains a short name belongs to that domain: only full names are the mesh's.
      : cut.includes(".")
      ? findFull(table, cut)
      : undefined;
    if (found === undefined) continue;
    // A wildcard's alias stands for itself: no host is called `*.`.
    const target = found.host.host.startsWith("*.") ? cut : found.host.host;
    return { ...found, target, searchDomain };
  }
  const wildcard = table.wildcard(name);
  if (wildcard !== undefined) return { host: wildcard, target: name, form: "wildcard" };
  for (const searchDomain of view.searchDomains) {
    const cut = withoutSuffix(name, searchDomain);
    const host = cut === undefined ? undefined : table.wildcard(cut);
    if (host !== undefined) return { host, target: cut!, form: "wildcard", searchDomain };
  }
  return undefined;
}

type FoundHost = Pick<MeshMatch, "host" | "form">;

function findDirect(table: NameTable, view: MeshView, name: string): FoundHost | undefined {
  return findFull(table, name) ?? findShortForm(table, view, name);
}

function findFull(table: NameTable, name: string): FoundHost | undefined {
  const host = table.exact(name);
  return host && { host, form: host.host === name ? "host" : "alias" };
}

/** `svc`, `svc.ns`, `svc.ns.svc`: what a pod's search domains would have made the full name of. */
function findShortForm(table: NameTable, view: MeshView, name: string): FoundHost | undefined {
  if (isWithin(name, view.clusterDomain)) return undefined;
  for (const domain of meshSearchDomains(view)) {
    const full = joinNames(name, domain);
    const host = full === undefined ? undefined : table.exact(full);
    if (host?.shortForms) return { host, form: "short form" };
  }
  return undefined;
}

function answerHost(
  match: MeshMatch,
  addresses: readonly Uint8Array[],
  { question, view, rotation }: { question: MeshQuestion; view: MeshView; rotation: number },
): MeshOutcome {
  const { host, target, searchDomain } = match;
  const reason = describe(match);
  const ttl = { ttlSeconds: MESH_TTL_SECONDS };
  const chain: ResourceRecord[] = searchDomain === undefined
    ? []
    : [cnameRecord(question.name, target, ttl)];
  const answer = (parts: Partial<Answer>): MeshOutcome => ({
    kind: "answer",
    answer: localAnswer({ ...parts, answers: [...chain, ...parts.answers ?? []] }),
    match,
    reason,
  });
  switch (question.type) {
    case RecordType.A:
    case RecordType.AAAA: {
      const octets = question.type === RecordType.A ? 4 : 16;
      const family = addresses.filter((address) => address.length === octets);
      if (family.length === 0) break;
      const first = rotation % family.length;
      const rotated = [...family.slice(first), ...family.slice(0, first)];
      return answer({ answers: rotated.map((address) => addressRecord(target, address, ttl)) });
    }
    case RecordType.ANY:
      return answer({ answers: [minimalAnyRecord(target, ttl)] });
    case RecordType.HTTPS:
    case RecordType.SVCB:
      // Address hints would lead clients around the mesh.
      break;
    case RecordType.CNAME:
      if (chain.length > 0) return answer({});
      break;
  }
  const answersAddresses = question.type === RecordType.A || question.type === RecordType.AAAA ||
    question.type === RecordType.HTTPS || question.type === RecordType.SVCB;
  if (!host.kubernetes && !answersAddresses) {
    return { kind: "pass", reason: `${reason}; of external hosts only addresses are served here` };
  }
  return answer({ authority: [negativeSoa(target, view)] });
}

/** The SOA record of a negative answer: of the cluster domain, or for other hosts of the host itself. */
export function negativeSoa(
  name: string,
  view: Pick<MeshView, "clusterDomain">,
): ResourceRecord {
  const zone = isWithin(name, view.clusterDomain) ? view.clusterDomain : name;
  return soaRecord(zone, { ttlSeconds: NEGATIVE_TTL_SECONDS });
}

function answerPtr(table: NameTable, name: string): MeshOutcome | undefined {
  const canonical = table.reverse(name);
  if (canonical === undefined) return undefined;
  const answer = localAnswer({
    answers: [ptrRecord(name, canonical.name, { ttlSeconds: MESH_TTL_SECONDS })],
  });
  if (canonical.owned) {
    return { kind: "answer", answer, reason: `the mesh gave the address to "${canonical.name}"` };
  }
  return {
    kind: "pass",
    reason: `address of "${canonical.name}", but not one that the mesh gave out`,
    afterNxdomain: answer,
  };
}

/** `_port._protocol.host`: SRV for hosts whose ports are known. */
function answerSrv(table: NameTable, view: MeshView, name: string): MeshOutcome {
  const service = /^_([^.]+)\._(tcp|udp)\.(.+)$/.exec(name);
  const match = service === null ? undefined : findHost(table, view, service[3]);
  if (service === null || match === undefined || match.host.ports.length === 0) {
    return { kind: "pass", reason: "no host of the mesh with known ports has this name" };
  }
  const ttl = { ttlSeconds: MESH_TTL_SECONDS };
  const port = match.host.ports.find((port) =>
    port.name.toLowerCase() === service[1] && port.protocol === service[2]
  );
  if (port === undefined) {
    return { kind: "pass", reason: `"${match.host.host}" has no such port` };
  }
  const owner = match.searchDomain === undefined
    ? name
    : joinNames(`_${service[1]}._${service[2]}`, match.target);
  if (owner === undefined) return { kind: "pass", reason: "the name would be too long" };
  const target = match.form === "wildcard" ? match.target : match.host.host;
  const records = [srvRecord(owner, { host: target, port: port.port, weight: 100 }, ttl)];
  if (owner !== name) records.unshift(cnameRecord(name, owner, ttl));
  return {
    kind: "answer",
    answer: localAnswer({
      answers: records,
      additional: servedAddresses(match.host, view).map((address) =>
        addressRecord(target, address, ttl)
      ),
    }),
    match,
    reason: describe(match),
  };
}

function describe({ host, form, searchDomain }: MeshMatch): string {
  const found = form === "host" ? `host "${host.host}"` : `${form} of "${host.host}"`;
  return searchDomain === undefined ? found : `${found} after cutting off "${searchDomain}"`;
}
