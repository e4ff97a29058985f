/**
 * Channels to the control plane: which address, what it is trusted by, what is shown of this node.
 *
 * The control plane's own name is looked up in the hosts file that came with the VM's files, in
 * /etc/hosts, and upstream; never in the mesh, whose address for it a VM cannot reach.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { isIP } from "node:net";
import {
  Client,
  credentials,
  logVerbosity,
  type ServiceError,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import { formatSocketAddress, parseHostPort } from "../system/socket_address.ts";
import { MeshError } from "./errors.ts";

/** What a control plane is reached by. */
export interface ChannelOptions {
  /** `host:port`. */
  address: string;
  /** Name in its certificate. */
  serverName: string;
  /** PEM of the roots that it is trusted by. */
  roots: readonly string[];
  /** Certificate of this node; must be valid: an expired one fails the handshake. */
  clientPair?: { key: string; chain: readonly string[] };
  /** {@link KEEPALIVE_DEFAULT} unless given. */
  keepalive?: Keepalive;
}

/** How a connection whose other end is silently gone is noticed. */
export interface Keepalive {
  /** How often an idle connection is tried, in milliseconds. */
  timeMs: number;
  /** How long the answer to that may take, in milliseconds. */
  timeoutMs: number;
}

/** How hosts are found. */
export interface HostLookup {
  /** Reads hosts files. */
  files: Pick<Files, "readText">;
  /** The hosts file that came with the VM's files. */
  hostsPath?: string;
  /** Asks the upstream servers. */
  resolveHost(name: string): Promise<string[]>;
}

/** The largest message that is taken, in octets: about 3 million names. */
export const MESSAGE_MAX_OCTETS = 256 * 1024 * 1024;
/** A half-open connection is noticed within 30 s; istiod allows a ping every 15 s. */
export const KEEPALIVE_DEFAULT: Keepalive = { timeMs: 20_000, timeoutMs: 10_000 };

/**
 * Opens a channel. It connects when it is first used.
 *
 * @throws {MeshError} when the host cannot be found
 */
export async function openChannel(options: ChannelOptions, lookup: HostLookup): Promise<Client> {
  // What goes wrong is told by status and the log, in the agent's own words.
  setLogVerbosity(logVerbosity.NONE);
  const { host, port } = parseHostPort(options.address)!;
  const address = isIP(host) !== 0 ? host : await findHost(host, lookup);
  const { clientPair: pair, keepalive = KEEPALIVE_DEFAULT } = options;
  const tls = credentials.createSsl(
    Buffer.from(options.roots.join("")),
    pair && Buffer.from(pair.key),
    pair && Buffer.from(pair.chain.join("")),
  );
  return new Client(formatSocketAddress({ address, port }), tls, {
    "grpc.ssl_target_name_override": options.serverName,
    "grpc.default_authority": options.serverName,
    "grpc.max_receive_message_length": MESSAGE_MAX_OCTETS,
    "grpc.keepalive_time_ms": keepalive.timeMs,
    "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
    // Retries and reconnects are decided above, where status can say so.
    "grpc.enable_retries": 0,
    // A channel with another certificate must not share a connection with this one.
    "grpc.use_local_subchannel_pool": 1,
  });
}

/** Codes of failures on the way to the control plane, or within it: nothing that it says of this node. */
const SILENCE = new Set([
  status.UNAVAILABLE,
  status.DEADLINE_EXCEEDED,
  status.CANCELLED,
  status.INTERNAL,
  status.ABORTED,
  status.RESOURCE_EXHAUSTED,
  status.UNIMPLEMENTED,
]);

/** A gRPC failure in words. */
export function channelError(address: string, error: unknown): MeshError {
  const { code, details } = error as Partial<ServiceError>;
  const text = plainWords(details ?? messageOf(error));
  if (
    code === status.UNAVAILABLE &&
    /certificate|UnknownIssuer|self.signed|NotValidForName/i.test(text)
  ) {
    return new MeshError(
      "CONTROL_PLANE_UNTRUSTED",
      `The control plane ${address} could not prove itself: ${text}`,
      {
        remedy: "Check that controlPlane.rootCert holds the mesh's current root certificate " +
          "(ConfigMap istio-ca-root-cert) and that controlPlane.serverName is right.",
        cause: error,
      },
    );
  }
  if (code !== undefined && !SILENCE.has(code)) {
    return new MeshError(
      "CONTROL_PLANE_REFUSES",
      `The control plane ${address} refuses this node: ${text}`,
      {
        remedy:
          "Correct what it names: this node's settings (node.*) or the mesh's objects; names " +
          "are served from memory and disk meanwhile.",
        cause: error,
      },
    );
  }
  return new MeshError(
    "CONTROL_PLANE_UNREACHABLE",
    `The control plane ${address} does not answer: ${text}`,
    {
      remedy:
        "Check that it runs and that this VM may connect to it; names are served from memory " +
        "and disk meanwhile.",
      cause: error,
    },
  );
}

/** grpc-js wraps the one thing that matters: `… Last error: Error: connect ECONNREFUSED … Resolution …`. */
function plainWords(details: string): string {
  const cause = /Last error: (?:\w*Error: )?(.*?)\.? Resolution note:/.exec(details);
  return cause?.[1] ?? details;
}

/** Whether the control plane answered and said that the caller may not. */
export function isRefusal(error: unknown): boolean {
  const { code } = error as Partial<ServiceError>;
  return code === status.UNAUTHENTICATED || code === status.PERMISSION_DENIED;
}

async function findHost(host: string, lookup: HostLookup): Promise<string> {
  for (const path of [lookup.hostsPath, "/etc/hosts"]) {
    if (path === undefined) continue;
    const text = await lookup.files.readText(path).catch(() => "");
    const address = addressInHosts(text, host);
    if (address !== undefined) return address;
  }
  const [address] = await lookup.resolveHost(host).catch(() => []);
  if (address !== undefined) return address;
  throw new MeshError(
    "CONTROL_PLANE_UNRESOLVED",
    `The control plane's name "${host}" has no address in ${
      [lookup.hostsPath, "/etc/hosts"].filter((path) => path !== undefined).join(", ")
    } or at the upstream servers`,
    { remedy: "Add it to the file of controlPlane.hosts, or give its address as ip:port." },
  );
}

/** The first address of a name in the format of hosts(5). */
export function addressInHosts(text: string, host: string): string | undefined {
  for (const line of text.split("\n")) {
    const [address, ...names] = line.replace(/#.*/, "").trim().split(/\s+/);
    const matches = names.some((name) => name.toLowerCase() === host.toLowerCase());
    if (matches && isIP(address) !== 0) return address;
  }
  return undefined;
}
