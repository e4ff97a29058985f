/**
 * Which nameservers and search domains the VM itself uses, whoever set them up.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import { parseResolvConf } from "./resolv_conf.ts";

/** The VM's own DNS set-up. */
export interface HostDns {
  /** Nameservers, in order; empty where none was found. */
  servers: SocketAddress[];
  /** Canonical search domains. */
  searchDomains: string[];
  /** The file that the servers come from. */
  source: string;
  /** How they were found, a step a line. */
  trace: string[];
}

const RESOLV_CONF = "/etc/resolv.conf";
/** Where systemd-resolved lists the servers behind its stub (systemd-resolved.service(8)). */
const RESOLVED_UPLINKS = "/run/systemd/resolve/resolv.conf";
/** The addresses of systemd-resolved's stub. */
const RESOLVED_STUBS = ["127.0.0.53", "127.0.0.54"];
const DNS_PORT = 53;

/**
 * Finds them. What cannot be read is a step of the trace, never an error: the caller keeps what it had.
 *
 * @param options `exclude`: this agent's own listeners, which are never a nameserver
 */
export async function readHostDns(
  { files, exclude }: { files: Pick<Files, "readText">; exclude: readonly SocketAddress[] },
): Promise<HostDns> {
  const trace: string[] = [];
  const own = new Set(
    exclude.filter(({ port }) => port === DNS_PORT).map(({ address }) => address),
  );
  const read = async (path: string) => {
    try {
      const parsed = parseResolvConf(await files.readText(path));
      trace.push(...parsed.problems.map((problem) => `${path}:${problem}`));
      const nameservers = parsed.nameservers.filter((address) => !own.has(address));
      trace.push(`${path}: ${nameservers.join(", ") || "no usable nameserver"}`);
      return { ...parsed, nameservers };
    } catch (error) {
      trace.push(`${path}: ${messageOf(error)}`);
      return undefined;
    }
  };
  const configured = await read(RESOLV_CONF);
  let source = RESOLV_CONF;
  let nameservers = configured?.nameservers ?? [];
  if (nameservers.length > 0 && nameservers.every((address) => RESOLVED_STUBS.includes(address))) {
    // The stub would do, but it may one day forward to this agent: ask those behind it.
    const uplinks = await read(RESOLVED_UPLINKS);
    if (uplinks !== undefined && uplinks.nameservers.length > 0) {
      source = RESOLVED_UPLINKS;
      nameservers = uplinks.nameservers;
    }
  }
  return {
    servers: nameservers.map((address) => ({ address, port: DNS_PORT })),
    searchDomains: configured?.searchDomains ?? [],
    source,
    trace,
  };
}
