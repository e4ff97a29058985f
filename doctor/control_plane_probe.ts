/**
 * The way to the control plane, tried stage by stage, as the agent goes it.
 *
 * @module
 */
import { isIP } from "node:net";
import { RecordType } from "../agent/dns/codes.ts";
import { parseName } from "../agent/dns/name.ts";
import { addressInHosts } from "../agent/mesh/control_plane_channel.ts";
import { readToken, tokenExpiryMs } from "../agent/mesh/join_token.ts";
import { readRoots } from "../agent/mesh/trusted_roots.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import { sleep } from "../agent/system/clock.ts";
import type { MessageStream, MessageStreamHandlers } from "../agent/system/network.ts";
import type { Nameserver } from "../agent/system/nameserver.ts";
import { parseHostPort, type SocketAddress } from "../agent/system/socket_address.ts";
import type { World } from "../agent/system/world.ts";
import { askAddresses } from "./ask.ts";
import type { ControlPlaneFacts, Tried } from "./facts.ts";

/** How long a connection may take, in milliseconds. */
const CONNECT_MS = 3_000;

/** What is known of the control plane. */
export interface ControlPlaneProbe {
  /** `host:port`. */
  address: string;
  /** The rest of its configuration; undefined where that could not be read. */
  settings: {
    serverName: string;
    rootCert: string;
    token: string;
    hosts?: string | undefined;
    namespace: string;
    serviceAccount: string;
  } | undefined;
  /** Whom the agent asks for its name. */
  upstreams: readonly Nameserver[];
}

/** What the way is tried with. */
export type ProbeWorld = Pick<World, "clock" | "files" | "network" | "random">;

const NO_HANDLERS: MessageStreamHandlers = { onMessage() {}, onClose() {} };

/** Goes the way as far as it leads. */
export async function probeControlPlane(
  probe: ControlPlaneProbe,
  world: ProbeWorld,
): Promise<ControlPlaneFacts> {
  const { address, settings } = probe;
  const { network, files, clock } = world;
  const { host, port } = parseHostPort(address)!;
  const resolved = await resolve(host, probe, world);
  let tcp: Tried | undefined;
  let tls: Tried | undefined;
  if (resolved.ok) {
    const remote = { address: resolved.answer[0], port };
    tcp = await connect(remote, world, (signal) => network.connectTcp(remote, NO_HANDLERS, signal));
    if (tcp.ok && settings !== undefined) {
      tls = await connect(remote, world, async (signal) => {
        const roots = await readRoots(settings.rootCert, {
          files,
          kept: [],
          nowMs: clock.wallMs(),
        });
        const { serverName } = settings;
        return await network.connectTls(remote, NO_HANDLERS, { signal, serverName, roots });
      });
    }
  }
  return {
    address,
    resolved,
    tcp,
    tls,
    token: settings && await tokenOf(settings, world),
    nowMs: clock.wallMs(),
  };
}

/** As the agent finds it: the hosts files, then the nameservers, never the mesh. */
async function resolve(
  host: string,
  { settings, upstreams }: ControlPlaneProbe,
  world: ProbeWorld,
): Promise<Tried> {
  if (isIP(host) !== 0) return { ok: true, answer: [host], tookMs: 0 };
  for (const path of [settings?.hosts, "/etc/hosts"]) {
    if (path === undefined) continue;
    const text = await world.files.readText(path).catch(() => "");
    const address = addressInHosts(text, host);
    if (address !== undefined) return { ok: true, answer: [address], tookMs: 0 };
  }
  const name = parseName(host);
  if (name === undefined) return { ok: false, reason: `"${host}" is not a domain name` };
  const tried = await Promise.all(
    upstreams.flatMap((server) =>
      [RecordType.A, RecordType.AAAA].map((type) => askAddresses(server, { name, type }, world))
    ),
  );
  const reason = tried.map((one) => one.ok ? "" : one.reason)[0] ?? "no nameserver is known";
  return tried.find(({ ok }) => ok) ??
    {
      ok: false,
      reason: `"${host}" has no address in hosts files or at the nameservers: ${reason}`,
    };
}

async function connect(
  { address, port }: SocketAddress,
  { clock }: ProbeWorld,
  open: (signal: AbortSignal) => Promise<MessageStream>,
): Promise<Tried> {
  const limit = new AbortController();
  const cancel = clock.schedule(CONNECT_MS, () => limit.abort());
  const startedMs = clock.monotonicMs();
  // Raced as well: a connection that is under way may not heed its signal.
  const done = new AbortController();
  try {
    const stream = await Promise.race([
      open(limit.signal),
      sleep(clock, CONNECT_MS, done.signal).then(() => {
        throw new Error(`no answer in ${CONNECT_MS} ms`);
      }),
    ]);
    stream.destroy();
    const tookMs = clock.monotonicMs() - startedMs;
    return { ok: true, answer: [`${address} port ${port}`], tookMs };
  } catch (error) {
    const reason = limit.signal.aborted ? `no answer in ${CONNECT_MS} ms` : messageOf(error);
    return { ok: false, reason: `${address} port ${port}: ${reason}` };
  } finally {
    cancel();
    done.abort();
  }
}

async function tokenOf(
  { token: path, namespace, serviceAccount }: NonNullable<ControlPlaneProbe["settings"]>,
  { files }: ProbeWorld,
): Promise<ControlPlaneFacts["token"]> {
  try {
    const token = await readToken({ path, namespace, serviceAccount }, files);
    return { expiresMs: tokenExpiryMs(token) };
  } catch (error) {
    const message = messageOf(error);
    return /denied/i.test(message) ? undefined : message;
  }
}
