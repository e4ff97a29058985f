/**
 * Which nameservers and search domains the VM itself uses, whoever set them up, also while its lookups
 * come to this agent.
 *
 * @module
 */
import type { Files } from "../system/files.ts";
import type { Nameserver } from "../system/nameserver.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import { parseDhclientLeases } from "./dhclient_leases.ts";
import { combineScopes, unique } from "./dns_scope.ts";
import type { RememberedLinks } from "./remembered_links.ts";
import type { ResolvConfManager } from "./resolv_conf.ts";
import type { ResolvedLinks } from "./resolved_links.ts";
import { readNetworkdLinks, readResolvedSetup } from "./resolved_setup.ts";
import { type ReadResolvConf, SetupFiles } from "./setup_files.ts";

/** The VM's own DNS set-up. */
export interface HostDns {
  /** Nameservers for every name without a domain of its own, in order; empty where none was found. */
  servers: Nameserver[];
  /** Nameservers of domains (a link's routing domains), canonical, the longest match counts. */
  domains: { domain: string; servers: Nameserver[] }[];
  /** Canonical search domains. */
  searchDomains: string[];
  /** Where the servers come from, for people: paths and links. */
  source: string;
  /** How they were found, a step a line. */
  trace: string[];
}

/** What {@link probeHostDns} needs. */
export interface HostDnsOptions {
  /** Reads the set-up. */
  files: Pick<Files, "readText" | "list">;
  /** This agent's own listeners, which are never a nameserver. */
  exclude: readonly SocketAddress[];
  /** The resolv.conf from before the VM's lookups came here. */
  savedResolvConf?: string;
  /** Asks systemd-resolved about its links; without it, only its files are read. */
  resolvedLinks?: ResolvedLinks;
  /** What it told of them last, where it cannot be asked now. */
  rememberedLinks?: RememberedLinks;
}

/** The file that every set-up ends in. */
export const RESOLV_CONF = "/etc/resolv.conf";
/** Where it waits for being given back while a file of outrigger's is in its place. */
export const SAVED_RESOLV_CONF = "/etc/resolv.conf.before-outrigger";
/** NetworkManager's own lists: the first is without the stub of a resolver that it feeds. */
export const NETWORK_MANAGER_FILES = [
  "/run/NetworkManager/no-stub-resolv.conf",
  "/run/NetworkManager/resolv.conf",
];
/** What interfaces told resolvconf, Debian's and openresolv: files named INTERFACE.PROGRAM. */
export const RESOLVCONF_FOLDERS = ["/run/resolvconf/interface", "/run/resolvconf/interfaces"];
/** openresolv: the names of those whose servers are for their own domains only (`resolvconf -p`). */
const RESOLVCONF_PRIVATE_FOLDER = "/run/resolvconf/private";
/** Leases of ISC's DHCP client. */
export const DHCLIENT_FOLDER = "/var/lib/dhcp";

/**
 * Finds it. What cannot be read is a step of the trace, never an error: the caller keeps what it had.
 *
 * @returns also what may be whole in a moment: half-written files, a program that is restarted
 */
export async function probeHostDns(
  options: HostDnsOptions,
): Promise<{ dns: HostDns; unfinished: string[] }> {
  const setup = new SetupFiles(options);
  const found = await findDns(setup, options);
  const { servers, domains, searchDomains, source } = found ?? {
    servers: [],
    domains: [],
    searchDomains: [],
    source: RESOLV_CONF,
  };
  const { trace, unfinished } = setup;
  return { dns: { servers, domains, searchDomains, source, trace }, unfinished };
}

/** What was found, without its trace. */
type Found = Omit<HostDns, "trace">;
/** What {@link fromConf} takes. */
type Listed = Pick<ReadResolvConf, "nameservers" | "searchDomains" | "path">;

/**
 * resolv.conf says who asks whom. Where it names systemd-resolved, that was told more than fits in
 * there. Where it names only this agent, the copy of before is the next best; but where a program had
 * written that, the program's present list is newer: an old resolv.conf after a new lease is an outage.
 */
async function findDns(setup: SetupFiles, options: HostDnsOptions): Promise<Found | undefined> {
  const { savedResolvConf } = options;
  const current = await setup.resolvConf(RESOLV_CONF);
  const configured = withServers(current);
  if (configured === undefined && !current?.namesAgent) setup.unfinished.push(RESOLV_CONF);
  if (configured !== undefined && configured.manager !== "systemd-resolved") {
    return fromConf(configured);
  }
  const saved = configured === undefined && savedResolvConf !== undefined
    ? withServers(await setup.resolvConf(savedResolvConf))
    : undefined;
  const base = configured ?? saved;
  const resolved = async () => {
    const found = await readResolvedSetup(setup, options);
    if (found.servers.length > 0 || found.domains.length > 0) return found;
    // The stub is better than nothing, but never while it forwards to this agent.
    return base !== undefined && !found.forwardsHere ? fromConf(base) : undefined;
  };
  const finders: Record<ResolvConfManager, () => Promise<Found | undefined>> = {
    "systemd-resolved": resolved,
    "NetworkManager": () => fromNetworkManager(setup),
    "resolvconf": () => fromResolvconf(setup),
  };
  const manager = (base ?? current)?.manager;
  if (base !== undefined && manager !== "systemd-resolved") {
    return manager === undefined ? fromConf(base) : await finders[manager]() ?? fromConf(base);
  }
  // No server at all: systemd-resolved serves without a resolv.conf, too (Debian 11). Else there is
  // none, whatever leases lie around: only behind this agent something has to be somewhere.
  if (base === undefined && !current?.namesAgent) return await resolved();
  // Who is in charge comes first; where nobody is known to be, whoever has a list.
  const order = (Object.keys(finders) as ResolvConfManager[])
    .sort((a, b) => Number(b === manager) - Number(a === manager));
  for (const name of order) {
    const found = await finders[name]();
    if (found !== undefined) return found;
  }
  return await fromNetworkd(setup) ?? await fromDhclient(setup);
}

function withServers(conf: ReadResolvConf | undefined): ReadResolvConf | undefined {
  return conf !== undefined && conf.nameservers.length > 0 ? conf : undefined;
}

function fromConf({ nameservers, searchDomains, path }: Listed): Found {
  const servers = nameservers.map((address) => ({ address: { address, port: 53 } }));
  return { servers, domains: [], searchDomains, source: path };
}

async function fromNetworkManager(setup: SetupFiles): Promise<Found | undefined> {
  for (const path of NETWORK_MANAGER_FILES) {
    const conf = withServers(await setup.resolvConf(path));
    if (conf !== undefined && conf.manager !== "systemd-resolved") return fromConf(conf);
  }
}

async function fromResolvconf(setup: SetupFiles): Promise<Found | undefined> {
  const isPrivate = new Set(await setup.list(RESOLVCONF_PRIVATE_FOLDER));
  const found: ReadResolvConf[] = [];
  for (const folder of RESOLVCONF_FOLDERS) {
    const names = (await setup.list(folder)).filter((name) => !isPrivate.has(name));
    for (const name of names.sort(byUse)) {
      const conf = withServers(await setup.resolvConf(`${folder}/${name}`));
      if (conf !== undefined) found.push(conf);
    }
  }
  return found.length === 0 ? undefined : fromConf({
    nameservers: unique(found.flatMap(({ nameservers }) => nameservers)),
    searchDomains: unique(found.flatMap(({ searchDomains }) => searchDomains)),
    path: found.map(({ path }) => path).join(", "),
  });
}

/** Tunnels first, as in Debian's /etc/resolvconf/interface-order; last the file from before it. */
function byUse(a: string, b: string): number {
  const rank = (name: string) =>
    /^(tun|tap|vpn|hso)/.test(name) ? 0 : name === "original.resolvconf" ? 2 : 1;
  return rank(a) - rank(b) || (a < b ? -1 : 1);
}

/** systemd-networkd without systemd-resolved: nobody makes a resolv.conf of what it knows. */
async function fromNetworkd(setup: SetupFiles): Promise<Found | undefined> {
  const scopes = await readNetworkdLinks(setup);
  if (scopes.length === 0) return undefined;
  return { ...combineScopes(scopes), source: scopes.map(({ source }) => source).join(", ") };
}

async function fromDhclient(setup: SetupFiles): Promise<Found | undefined> {
  const names = (await setup.list(DHCLIENT_FOLDER)).filter((name) => name.endsWith(".leases"));
  const texts: string[] = [];
  for (const name of names) texts.push(await setup.text(`${DHCLIENT_FOLDER}/${name}`) ?? "");
  const { nameservers: leased, searchDomains } = parseDhclientLeases(texts.join("\n"));
  const nameservers = leased.filter((address) => !setup.isOwn({ address, port: 53 }));
  setup.trace.push(`${DHCLIENT_FOLDER}: ${nameservers.join(", ") || "no nameserver"}`);
  if (nameservers.length > 0) {
    return fromConf({ nameservers, searchDomains, path: DHCLIENT_FOLDER });
  }
}
