/**
 * Whether an Envoy intercepts this VM's outbound traffic: only then is an automatic VIP reachable, and
 * only then may it be answered (`dns.autoAllocated: auto`).
 *
 * @module
 */
import type { Files } from "../system/files.ts";

/** The port that Istio redirects outbound traffic to (`istio-iptables --envoy-port`). */
const OUTBOUND_CAPTURE_PORT = 15001;
/**
 * The sockets of this network. Not by way of /proc/net, which is a link to the same place and hidden where
 * only processes are to be seen (`ProcSubset=pid` of the unit).
 */
const SOCKET_TABLES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];
/** State LISTEN in these tables (include/net/tcp_states.h). */
const TCP_LISTEN = "0A";

/**
 * Looks for a listener on Istio's outbound capture port. The redirecting rules themselves can only be
 * read by root, which the agent is not; without the listener they would break all traffic.
 */
export async function findEnvoyInterception(files: Pick<Files, "readText">): Promise<boolean> {
  for (const path of SOCKET_TABLES) {
    const sockets = await files.readText(path).catch(() => "");
    if (hasListener(sockets, OUTBOUND_CAPTURE_PORT)) return true;
  }
  return false;
}

/** Whether a table in the format of /proc/self/net/tcp (proc(5)) has a listening socket on `port`. */
function hasListener(sockets: string, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  return sockets.split("\n").some((line) => {
    const [, local, , state] = line.trim().split(/\s+/);
    return state === TCP_LISTEN && local?.endsWith(suffix);
  });
}
