/**
 * Everything that can be configured: keys, meaning, defaults and what is allowed, in one zod schema from
 * which types, the JSON Schema and the README's table come.
 *
 * @module
 */
import * as z from "zod";
import { CAPTURE_MODES } from "./capture_modes.ts";
import { parseAddress, parseRange } from "../dns/ip_address.ts";
import { parseName } from "../dns/name.ts";
import { LOG_FORMATS, LOG_LEVELS } from "../system/log.ts";
import { parseNameserver } from "../system/nameserver.ts";
import { parseHostPort, parseSocketAddress } from "../system/socket_address.ts";

/** Where the configuration is unless `--config` says otherwise. */
export const CONFIG_FILE_DEFAULT = "/etc/outrigger/config.yaml";

const domain = (example: string) =>
  z.string().refine((text) => (parseName(text) ?? "") !== "" && parseAddress(text) === undefined, {
    error: `must be a domain name, e.g. ${example}`,
  }).transform((text) => parseName(text)!);

const socketAddress = z.string().refine((text) => parseSocketAddress(text) !== undefined, {
  error: "must be ip:port, e.g. 127.0.0.1:15053 or [::1]:15053",
});

const nameserver = z.string().refine((text) => parseNameserver(text) !== undefined, {
  error: "must be an IP address, ip:port, or tls://ip#name for DNS over TLS, e.g. 192.0.2.53, " +
    "[2001:db8::53]:5353 or tls://192.0.2.53#dns.example.org",
});

/** One nameserver or several, as a list or with spaces between them. */
const nameservers = z.union([
  z.array(nameserver).min(1),
  z.string().transform((text) => text.split(/\s+/).filter((item) => item !== ""))
    .pipe(z.array(nameserver).min(1)),
]);

const ipAddress = z.string().refine((text) => parseAddress(text) !== undefined, {
  error: "must be an IP address, e.g. 192.0.2.10",
});

const range = z.string().refine((text) => parseRange(text) !== undefined, {
  error: "must be a range of addresses, e.g. 240.240.0.0/16",
});

const hostPort = z.string().refine((text) => parseHostPort(text) !== undefined, {
  error: "must be host:port, e.g. istiod.example.org:15012",
});

/** A name in a SPIFFE path or a node id: `~` and `/` part those, so that none may hold them. */
const identifier = z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/, {
  error: "must be letters, digits, '-', '.' or '_', and begin and end with a letter or digit",
});

/** A Go duration of whole hours, minutes and seconds; becomes milliseconds. */
const duration = ({ leastSeconds }: { leastSeconds: number }) =>
  z.string().regex(DURATION, { error: "must be a duration, e.g. 24h or 1h30m" })
    .transform(milliseconds)
    .refine((ms) => ms >= leastSeconds * 1_000, { error: `must be ${leastSeconds}s or more` });

const DURATION = /^(?=.)(\d+h)?(\d+m)?(\d+s)?$/;
const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1_000 } as const;

function milliseconds(text: string): number {
  return [...text.matchAll(/(\d+)([hms])/g)]
    .reduce((sum, [, count, unit]) => sum + Number(count) * UNIT_MS[unit as "h" | "m" | "s"], 0);
}

/** A size with a binary unit; becomes octets. */
const size = ({ leastKiB }: { leastKiB: number }) =>
  z.string().regex(/^\d{1,9}[KMG]iB$/, { error: "must be a size, e.g. 16MiB" })
    .transform((text) => parseInt(text) * 1024 ** (1 + "KMG".indexOf(text.at(-3)!)))
    .refine((octets) => octets >= leastKiB * 1024, { error: `must be ${leastKiB}KiB or more` });

const path = z.string().min(1, { error: "must be the path of a file" });

const excludePattern = z.string().refine((text) => {
  const name = parseName(text);
  return name !== undefined && name !== "" && !name.replace(/^\*\./, "").includes("*");
}, { error: "must be a host, or *. and a domain, e.g. *.corp.example" });

const node = z.strictObject({
  name: identifier.optional().describe("Name of this node; the host name unless given."),
  namespace: identifier.default("default").describe(
    "Namespace of this node: where names of one label are looked up.",
  ),
  serviceAccount: identifier.default("default").describe("Service account of this node."),
  cluster: identifier.default("Kubernetes").describe("Name of the cluster this node belongs to."),
  network: z.string().default("").describe("Network of this node, as in Istio's topology labels."),
  trustDomain: domain("cluster.local").prefault("cluster.local").describe(
    "Trust domain of the mesh.",
  ),
  address: ipAddress.optional().describe(
    "Address told to the control plane first, also where it is not on an interface (NAT).",
  ),
  addresses: z.array(ipAddress).optional().describe(
    "Addresses told to the control plane; all of this machine that others can reach, as they " +
      "come and go, unless given.",
  ),
  labels: z.record(z.string(), z.string()).default({}).describe("Labels of this node's workload."),
  meshId: z.string().default("").describe("Mesh id told to the control plane."),
  revision: z.string().default("default").describe("Istio revision told to the control plane."),
  workloadGroup: identifier.optional().describe("WorkloadGroup that this node is one of."),
  register: z.boolean().default(false).describe(
    "Let istiod make a WorkloadEntry of workloadGroup for this node while it is connected, so " +
      "that the mesh sends it traffic.",
  ),
}).superRefine(({ register, workloadGroup }, context) => {
  if (register && workloadGroup === undefined) {
    context.addIssue({
      code: "custom",
      message: "needs node.workloadGroup: whose WorkloadEntry shall be made",
      path: ["register"],
    });
  }
});

const controlPlane = z.strictObject({
  address: hostPort.optional().describe("Address of the control plane, host:port."),
  addresses: z.array(hostPort).min(1).optional().describe("Several addresses, tried in turn."),
  serverName: domain("istiod.istio-system.svc").prefault("istiod.istio-system.svc").describe(
    "Name in the control plane's certificate.",
  ),
  rootCert: path.default("/etc/outrigger/root-cert.pem").describe(
    "PEM file with the root certificates that the control plane is trusted by; watched.",
  ),
  token: path.default("/etc/outrigger/istio-token").describe(
    "File with the token to join with; read anew at each use.",
  ),
  hosts: path.optional().describe(
    "File in the format of /etc/hosts that maps the control plane's name.",
  ),
  caAddress: hostPort.optional().describe(
    "Address of the certificate service where it is not the control plane's; its host is the " +
      "name in its certificate, or serverName where that is an IP address.",
  ),
  certificateLife: duration({ leastSeconds: 10 }).prefault("24h").describe(
    "Life asked for a certificate; it is renewed after half to four fifths of it.",
  ),
}).transform(({ address, addresses, ...rest }, context) => {
  const all = [...address === undefined ? [] : [address], ...addresses ?? []];
  if (all.length === 0) {
    context.addIssue({
      code: "custom",
      message: "must have address: host:port",
      path: ["address"],
    });
  }
  return { ...rest, addresses: all };
});

const dns = z.strictObject({
  listen: z.array(socketAddress).min(1).default(["127.0.0.1:15053"]).describe(
    "Addresses to serve DNS on, UDP and TCP.",
  ),
  fastPath: z.enum(["auto", "on", "off"]).default("auto").describe(
    "Answer mesh names and cached answers in a thread of its own that calls the kernel directly: on, " +
      "off, or auto: on where this machine lets it. Read at the start.",
  ),
  workers: z.number().int().min(1).max(16).default(1).describe(
    "Threads of the fast path, which share the sockets; each takes some 17 MB. Read at the start.",
  ),
  receiveBuffer: size({ leastKiB: 64 }).prefault("4MiB").describe(
    "What the kernel keeps of queries that wait for the fast path, as far as net.core.rmem_max lets it.",
  ),
  upstreams: z.array(nameserver).min(1).optional().describe(
    "Nameservers for all that is not the mesh's, tls://ip#name for DNS over TLS; the VM's own, " +
      "with the domains of its links, unless given.",
  ),
  forward: z.record(z.string(), nameservers).default({}).transform((record, context) =>
    Object.entries(record).map(([text, servers]) => {
      const domain = parseName(text) ?? "";
      if (domain === "") {
        context.addIssue({
          code: "custom",
          message: "must be below a domain, e.g. corp.example: [192.0.2.53]",
          path: [text],
        });
      }
      return { domain, servers };
    })
  ).describe(
    "Nameservers of single domains, e.g. corp.example: [192.0.2.53]; others are not asked for them.",
  ),
  rebindProtection: z.boolean().default(false).describe(
    "Leave private addresses out of nameservers' answers, but for domains with nameservers of their " +
      "own: a web page of the outside shall not reach this network by its own name.",
  ),
  rebindExempt: z.array(domain("corp.example")).default([]).describe(
    "Domains whose private addresses rebindProtection leaves in.",
  ),
  allowFrom: z.array(range).default([]).describe(
    "Clients that may ask beside this machine itself, where dns.listen has an address that others " +
      "can reach.",
  ),
  caseRandomization: z.boolean().default(false).describe(
    "Mix the letter case of names in queries to nameservers, for an attacker to guess as well (0x20); " +
      "a nameserver that changes it is asked without.",
  ),
  searchDomains: z.array(domain("ns1.svc.cluster.local")).optional().describe(
    "Search domains of this machine's stubs; the mesh's and those of resolv.conf unless given.",
  ),
  clusterDomain: domain("cluster.local").prefault("cluster.local").describe(
    "Domain of the cluster; nothing below it is ever asked upstream.",
  ),
  autoAllocated: z.enum(["auto", "serve", "forward"]).default("auto").describe(
    "Hosts with nothing but automatic VIPs: serve the VIP, forward to the nameservers, or auto: " +
      "serve where an Envoy intercepts this machine's traffic.",
  ),
  vipRanges: z.array(range).default(["240.240.0.0/16", "2001:2::/48"]).describe(
    "Ranges that the control plane takes automatic VIPs from.",
  ),
});

const health = z.strictObject({
  listen: socketAddress.default("127.0.0.1:15054").describe("Address of the health endpoint."),
});

const control = z.strictObject({
  socket: path.optional().describe(
    "Unix socket for the commands that change something; control.sock in stateDir unless given.",
  ),
});

const cache = z.strictObject({
  maxBytes: size({ leastKiB: 1024 }).prefault("16MiB").describe(
    "Most memory for answers of upstream servers; those used longest ago make room.",
  ),
  minTtl: duration({ leastSeconds: 0 }).prefault("0s").describe(
    "Answers are kept at least so long; more than a few seconds breaks names that move.",
  ),
  maxTtl: duration({ leastSeconds: 1 }).prefault("24h").describe(
    "Answers are kept at most so long; negative ones never longer than an hour.",
  ),
  serveStale: z.union([z.literal("off").transform(() => 0), duration({ leastSeconds: 1 })], {
    error: "must be a duration, e.g. 24h, or off",
  }).prefault("24h").describe(
    "How long an answer that ended is given where no nameserver has a better one, or off.",
  ),
  prefetch: z.boolean().default(true).describe(
    "Ask anew for answers that are much asked for, shortly before they end.",
  ),
});

const capture = z.strictObject({
  mode: z.enum(CAPTURE_MODES).default("auto").describe(
    "How this machine's lookups are sent to the agent, once it is installed: auto finds out what fits.",
  ),
  allNameservers: z.boolean().default(false).describe(
    "With nftables, take queries to every nameserver, and not only to those that this machine uses.",
  ),
  containers: z.boolean().default(false).describe(
    "Answer containers too: queries that come from the bridges of Docker and Podman, redirected by " +
      "nftables; install looks for the bridges.",
  ),
});

const names = z.strictObject({
  files: z.array(path).default([]).describe(
    "YAML or JSON files with Services, EndpointSlices and ServiceEntries to serve.",
  ),
  exclude: z.array(excludePattern).default([]).describe(
    "Hosts that are never answered from the mesh: a name, or *.domain for all below it.",
  ),
});

const log = z.strictObject({
  level: z.enum(LOG_LEVELS).default("info").describe("Least severe level that is written."),
  format: z.enum(LOG_FORMATS).default("text").describe("Text for people, or JSON lines."),
});

/** The schema of the whole file. */
export const configSchema = z.strictObject({
  from: path.optional().describe(
    "Folder with the files of istioctl x workload entry configure (cluster.env, mesh.yaml, " +
      "root-cert.pem, istio-token, hosts); holds where nothing else is configured.",
  ),
  node: node.prefault({}).describe("Who this node is in the mesh."),
  controlPlane: controlPlane.optional().describe("Where names and certificates come from."),
  dns: dns.prefault({}).describe("Serving DNS."),
  health: health.prefault({}).describe("The health endpoint."),
  control: control.prefault({}).describe("The control socket."),
  cache: cache.prefault({}).describe("Keeping the nameservers' answers."),
  capture: capture.prefault({}).describe("Sending this machine's lookups to the agent."),
  names: names.prefault({}).describe("Names beside the control plane's."),
  stateDir: path.default("/var/lib/outrigger").describe(
    "Folder for the key, the certificate and the last name table.",
  ),
  log: log.prefault({}).describe("Logging, to standard error."),
});

/** The configuration in force: every default filled in. */
export type Config = z.output<typeof configSchema> & {
  /** Its name is always known. */
  node: { name: string };
};
