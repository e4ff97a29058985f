/**
 * Reads mesh objects from manifests: YAML of one or many documents, JSON, and the lists that kubectl
 * prints. Objects of other kinds are passed over. Pure.
 *
 * @module
 */
import { isNode, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import * as z from "zod";
import type { HostPort } from "./host_entry.ts";
import type { MeshObject, ObjectHead } from "./mesh_object.ts";

/** Something that is wrong with a manifest. */
export interface ManifestProblem {
  /** Path of the file. */
  file: string;
  /** 1 for the first. */
  line: number;
  /** What is wrong, and what is allowed. */
  message: string;
}

/** What a manifest holds. */
export interface Manifest {
  /** The objects that could be read. */
  objects: MeshObject[];
  /** What could not. */
  problems: ManifestProblem[];
}

/** The largest manifest that is read, in octets of UTF-16 text: 100,000 Services as kubectl prints them. */
export const MANIFEST_MAX_LENGTH = 256 * 1024 * 1024;

/** What a problem looks like to people: `FILE:LINE: what is wrong`. */
export function formatProblem({ file, line, message }: ManifestProblem): string {
  return `${file}:${line}: ${message}`;
}

/** Reads a manifest. Never throws: an object that is wrong is a problem, and the others are read. */
export function parseManifest(text: string, { file }: { file: string }): Manifest {
  const manifest: Manifest = { objects: [], problems: [] };
  if (text.length > MANIFEST_MAX_LENGTH) {
    const message = `larger than ${MANIFEST_MAX_LENGTH} characters`;
    return { objects: [], problems: [{ file, line: 1, message }] };
  }
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, {
    lineCounter: lines,
    prettyErrors: false,
    logLevel: "error",
  });
  if (!Array.isArray(documents)) return manifest;
  const lineAt = (offset: number | undefined) => lines.linePos(offset ?? 0).line;
  const problem = (line: number, message: string) => {
    manifest.problems.push({ file, line, message });
  };
  for (const document of documents) {
    if (document.errors.length > 0) {
      const [error] = document.errors;
      problem(lineAt(error.pos[0]), `not YAML: ${error.message}`);
      continue;
    }
    let value: unknown;
    try {
      value = document.toJS({ maxAliasCount: 100 });
    } catch (error) {
      problem(lineAt(document.range?.[0]), `not usable YAML: ${(error as Error).message}`);
      continue;
    }
    readObject(value, { node: document.contents as Node | null, file, lineAt, problem, manifest });
  }
  return manifest;
}

interface Reading {
  node: Node | null;
  file: string;
  lineAt(offset: number | undefined): number;
  problem(line: number, message: string): void;
  manifest: Manifest;
}

function readObject(value: unknown, reading: Reading): void {
  if (value === null || value === undefined) return;
  const { node, lineAt, problem, manifest } = reading;
  const line = lineAt(node?.range?.[0]);
  const kind = typeof value === "object" ? (value as { kind?: unknown }).kind : undefined;
  if (typeof kind !== "string") {
    problem(line, "not a Kubernetes object: it has no kind");
    return;
  }
  if (kind.endsWith("List")) {
    readList(value, reading);
    return;
  }
  const reader = READERS[kind];
  if (reader === undefined) return;
  const result = reader(value, `${reading.file}:${line}`);
  if (result.success) {
    manifest.objects.push(...result.objects);
    return;
  }
  for (const issue of result.issues) {
    problem(
      lineAt(offsetOf(node, issue.path) ?? node?.range?.[0]),
      `${kind}${nameOf(value)}: ${issue.path.join(".") || "it"}: ${issue.message}`,
    );
  }
}

function readList(value: unknown, reading: Reading): void {
  const { items } = value as { items?: unknown };
  const node = childOf(reading.node, "items");
  if (!Array.isArray(items)) {
    reading.problem(reading.lineAt(reading.node?.range?.[0]), "a List without items");
    return;
  }
  items.forEach((item, i) => {
    const element = isSeq(node) ? node.items[i] : undefined;
    readObject(item, { ...reading, node: isNode(element) ? element as Node : null });
  });
}

function nameOf(value: unknown): string {
  const { metadata } = value as { metadata?: { name?: unknown; namespace?: unknown } };
  return typeof metadata?.name === "string" ? ` ${metadata.name}` : "";
}

function offsetOf(root: Node | null, path: readonly PropertyKey[]): number | undefined {
  let node: unknown = root;
  let offset: number | undefined;
  for (const key of path) {
    node = childOf(node, key);
    if (!isNode(node)) break;
    offset = (node as Node).range?.[0] ?? offset;
  }
  return offset;
}

function childOf(node: unknown, key: PropertyKey): unknown {
  if (!isNode(node) || !("get" in node)) return undefined;
  return (node as unknown as { get(key: unknown, keepScalar: true): unknown }).get(key, true);
}

const metadata = z.object({
  name: z.string({ error: "must be a text" }),
  namespace: z.string().default("default"),
  labels: z.record(z.string(), z.string()).nullish().transform((labels) => labels ?? {}),
  annotations: z.record(z.string(), z.string()).nullish().transform((map) => map ?? {}),
});

const portNumber = z.int().min(1).max(65535, { error: "must be a port, 1 to 65535" });
const texts = z.array(z.string()).nullish().transform((list) => list ?? []);

const service = z.object({
  metadata,
  spec: z.object({
    type: z.string().default("ClusterIP"),
    clusterIP: z.string().optional(),
    clusterIPs: texts,
    externalName: z.string().optional(),
    publishNotReadyAddresses: z.boolean().default(false),
    ports: z.array(z.object({
      name: z.string().default(""),
      protocol: z.string().default("TCP"),
      port: portNumber,
    })).nullish().transform((ports) => ports ?? []),
  }),
});

const endpointSlice = z.object({
  metadata,
  endpoints: z.array(z.object({
    addresses: z.array(z.string()),
    hostname: z.string().nullish().transform((hostname) => hostname ?? ""),
    conditions: z.object({ ready: z.boolean().nullish() }).nullish(),
  })).nullish().transform((endpoints) => endpoints ?? []),
});

const RESOLUTIONS = ["NONE", "STATIC", "DNS", "DNS_ROUND_ROBIN", "DYNAMIC_DNS"] as const;

const serviceEntry = z.object({
  metadata,
  spec: z.object({
    hosts: z.array(z.string()).min(1, { error: "must name at least one host" }),
    addresses: texts,
    resolution: z.enum(RESOLUTIONS, { error: `must be one of ${RESOLUTIONS.join(", ")}` })
      .default("NONE"),
    exportTo: texts,
    ports: z.array(z.object({
      name: z.string().default(""),
      protocol: z.string().default("TCP"),
      number: portNumber,
    })).nullish().transform((ports) => ports ?? []),
  }),
  status: z.object({
    addresses: z.array(z.object({ value: z.string(), host: z.string().default("") })).nullish(),
  }).nullish(),
});

type ReadResult =
  | { success: true; objects: MeshObject[] }
  | { success: false; issues: { path: readonly PropertyKey[]; message: string }[] };

/** Readers by kind. */
const READERS: Record<string, (value: unknown, source: string) => ReadResult> = {
  Service: reader(service, ({ metadata, spec }, source) => {
    const given = spec.clusterIPs.length > 0 ? spec.clusterIPs : [spec.clusterIP ?? ""];
    const { externalName } = spec;
    return [{
      kind: "Service",
      ...head(metadata, exportToOf(metadata.annotations), source),
      clusterIPs: given.filter((address) => address !== "" && address !== "None"),
      headless: given[0] === "None",
      ...(spec.type === "ExternalName" && externalName !== undefined && { externalName }),
      publishNotReadyAddresses: spec.publishNotReadyAddresses,
      ports: spec.ports.flatMap(({ name, protocol, port }) => hostPort(name, protocol, port)),
    }];
  }),
  EndpointSlice: reader(endpointSlice, ({ metadata, endpoints }, source) => {
    const serviceName = metadata.labels["kubernetes.io/service-name"];
    if (serviceName === undefined) return [];
    return [{
      kind: "EndpointSlice",
      ...head(metadata, ["*"], source),
      serviceName,
      endpoints: endpoints.map(({ addresses, hostname, conditions }) => ({
        addresses,
        hostname,
        ready: conditions?.ready ?? true,
      })),
    }];
  }),
  ServiceEntry: reader(serviceEntry, ({ metadata, spec, status }, source) => {
    const off = metadata.labels["networking.istio.io/enable-autoallocate-ip"];
    return [{
      kind: "ServiceEntry",
      ...head(metadata, spec.exportTo.length > 0 ? spec.exportTo : ["*"], source),
      hosts: spec.hosts,
      addresses: spec.addresses,
      statusAddresses: status?.addresses ?? [],
      resolution: spec.resolution,
      autoAllocateOff: off?.toLowerCase() === "false",
      ports: spec.ports.flatMap(({ name, protocol, number }) => hostPort(name, protocol, number)),
    }];
  }),
};

function reader<S extends z.ZodType>(
  schema: S,
  convert: (value: z.output<S>, source: string) => MeshObject[],
): (value: unknown, source: string) => ReadResult {
  return (value, source) => {
    const parsed = schema.safeParse(value);
    return parsed.success
      ? { success: true, objects: convert(parsed.data, source) }
      : { success: false, issues: parsed.error.issues };
  };
}

function head(
  { name, namespace }: z.output<typeof metadata>,
  exportTo: string[],
  source: string,
): ObjectHead {
  return { name, namespace, exportTo, source };
}

/** The annotation by which a Service says who may see it (istio.io/api annotation). */
function exportToOf(annotations: Record<string, string>): string[] {
  const list = (annotations["networking.istio.io/exportTo"] ?? "").split(",");
  const namespaces = list.map((item) => item.trim()).filter((item) => item !== "");
  return namespaces.length > 0 ? namespaces : ["*"];
}

/** Everything that is not UDP travels on TCP; SCTP has no place in a mesh. */
function hostPort(name: string, protocol: string, port: number): HostPort[] {
  const upper = protocol.toUpperCase();
  return upper === "SCTP" ? [] : [{ name, protocol: upper === "UDP" ? "udp" : "tcp", port }];
}
