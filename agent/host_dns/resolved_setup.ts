/**
 * What systemd-resolved was told, also while its list of servers is this agent: resolved.conf with its
 * drop-ins, and the state of the links.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import {
  type CombinedScopes,
  combineScopes,
  type DnsScope,
  type ScopeServer,
} from "./dns_scope.ts";
import { parseNetworkdLink, parseResolvedLinkState } from "./link_state.ts";
import { NO_RESOLVED_CONF, parseResolvedConf, type ResolvedConf } from "./resolved_conf.ts";
import type { RememberedLinks } from "./remembered_links.ts";
import type { ResolvedLinks } from "./resolved_links.ts";
import type { SetupFiles } from "./setup_files.ts";

/** The folders of resolved.conf and resolved.conf.d, the one that counts most first. */
export const RESOLVED_CONF_FOLDERS = [
  "/etc/systemd",
  "/run/systemd",
  "/usr/local/lib/systemd",
  "/usr/lib/systemd",
];
/** Servers of all default routes in one list, without what only a port or a domain would tell. */
export const RESOLVED_UPLINKS = "/run/systemd/resolve/resolv.conf";
/** State of links that others than systemd-networkd told systemd-resolved about. */
export const RESOLVED_LINKS_FOLDER = "/run/systemd/resolve/netif";
/** State of systemd-networkd's links. */
export const NETWORKD_LINKS_FOLDER = "/run/systemd/netif/links";

/** What it was told. */
export interface ResolvedSetup extends CombinedScopes {
  /** What said so, for people. */
  source: string;
  /** Whether it forwards to this agent: asking its stub would come back here. */
  forwardsHere: boolean;
}

/** Who knows of the links more than the files that anybody may read. */
export interface LinkSources {
  /** Asks for them over D-Bus. */
  resolvedLinks?: ResolvedLinks;
  /** Told of what it said; asked where it says nothing. */
  rememberedLinks?: RememberedLinks;
}

/** Reads it; of the links their files, where nobody knows more. */
export async function readResolvedSetup(
  setup: SetupFiles,
  sources: LinkSources = {},
): Promise<ResolvedSetup> {
  const machine = await readResolvedConf(setup);
  const { conf, ownDomains } = machine;
  const global: DnsScope = { source: machine.sources.join(", "), ...conf, defaultRoute: true };
  const known = [global, ...await readLinks(setup, machine, sources)];
  const scopes = known.map((scope) => ({ ...scope, servers: notOwn(setup, scope.servers) }));
  if (scopes.every(({ servers }) => servers.length === 0)) {
    scopes.push({ ...global, servers: notOwn(setup, conf.fallbackServers), domains: [] });
  }
  const used = scopes.filter(({ servers }) => servers.length > 0);
  for (const { source, servers, domains } of used) {
    const names = domains.map(({ domain, routeOnly }) => `${routeOnly ? "~" : ""}${domain || "."}`);
    const addresses = servers.map(({ address }) => address).join(", ");
    setup.trace.push(`${source}: ${addresses}${names.length > 0 ? ` (${names.join(" ")})` : ""}`);
  }
  return {
    ...combineScopes(scopes, conf.dnsOverTls),
    source: used.map(({ source }) => source).join(", "),
    forwardsHere: ownDomains !== undefined,
  };
}

/** What holds for the whole machine. */
interface MachineConf {
  /** Without what is there for this agent's sake. */
  conf: ResolvedConf;
  /** The domains that send names to this agent; undefined where nothing does. */
  ownDomains: string[] | undefined;
  /** The files that name servers. */
  sources: string[];
}

/**
 * Reads resolved.conf and its drop-ins as systemd does: the first folder's file of a name counts, drop-ins
 * by name. A file that names this agent's listener is left out as a whole: its search domains, its
 * DNSOverTLS= and its emptying of lists are there for the agent's sake as well.
 */
async function readResolvedConf(setup: SetupFiles): Promise<MachineConf> {
  const paths = [...await mainFile(setup), ...await dropIns(setup)];
  const sources: string[] = [];
  let conf = NO_RESOLVED_CONF;
  let ownDomains: string[] | undefined;
  for (const { path, text } of paths) {
    const { servers, domains } = parseResolvedConf(text);
    if (notOwn(setup, servers).length < servers.length) {
      ownDomains = [...ownDomains ?? [], ...domains.map(({ domain }) => domain)];
      setup.trace.push(`${path}: forwards to this agent, left out`);
      continue;
    }
    if (servers.length > 0) sources.push(path);
    conf = parseResolvedConf(text, conf);
  }
  setup.trace.push(...conf.problems.map((problem) => `resolved.conf: ${problem}`));
  return { conf, ownDomains, sources: sources.length > 0 ? sources : ["resolved.conf"] };
}

async function mainFile(setup: SetupFiles): Promise<{ path: string; text: string }[]> {
  for (const folder of RESOLVED_CONF_FOLDERS) {
    const path = `${folder}/resolved.conf`;
    const text = await setup.text(path);
    if (text !== undefined) return [{ path, text }];
  }
  return [];
}

async function dropIns(setup: SetupFiles): Promise<{ path: string; text: string }[]> {
  const byName = new Map<string, string>();
  for (const folder of RESOLVED_CONF_FOLDERS) {
    for (const name of await setup.list(`${folder}/resolved.conf.d`)) {
      if (!name.endsWith(".conf") || byName.has(name)) continue;
      byName.set(name, `${folder}/resolved.conf.d/${name}`);
    }
  }
  const paths = [...byName].sort(([a], [b]) => a < b ? -1 : 1).map(([, path]) => path);
  const texts = await Promise.all(
    paths.map(async (path) => ({ path, text: await setup.text(path) })),
  );
  return texts.flatMap(({ path, text }) => text === undefined ? [] : [{ path, text }]);
}

/**
 * The links: what D-Bus tells is what is in force. Without it, what it told last, and systemd-networkd's
 * files, which are newer. Where it never told anything, the files; of links that others than
 * systemd-networkd set up, only root can read those, and the common list is what is left.
 */
async function readLinks(
  setup: SetupFiles,
  { conf, ownDomains }: MachineConf,
  { resolvedLinks, rememberedLinks }: LinkSources,
): Promise<DnsScope[]> {
  if (resolvedLinks !== undefined) {
    try {
      const told = await resolvedLinks();
      // While this agent is in charge, what D-Bus says of a link's TLS may be the agent's own setting.
      const scopes: DnsScope[] = ownDomains !== undefined && conf.dnsOverTls === "yes"
        ? told.map((scope) => ({ ...scope, dnsOverTls: "yes" }))
        : told;
      rememberedLinks?.replace(scopes);
      return scopes;
    } catch (error) {
      setup.trace.push(`systemd-resolved on D-Bus: ${messageOf(error)}`);
      // It may be restarting, and what its files leave out (domains, ports, TLS) would be lost meanwhile.
      setup.unfinished.push("systemd-resolved on D-Bus");
    }
  }
  const networkd = await readNetworkdLinks(setup);
  const remembered = await rememberedLinks?.recall();
  if (remembered !== undefined) {
    const seconds = Math.round(remembered.ageMs / 1000);
    setup.trace.push(`systemd-resolved's links are those of ${seconds} s ago`);
    const newer = new Set(networkd.map(({ link }) => link));
    return [...networkd, ...remembered.scopes.filter(({ link }) => !newer.has(link))]
      .sort((a, b) => (a.link ?? 0) - (b.link ?? 0));
  }
  const scopes = [
    ...networkd,
    ...await readLinkFiles(setup, RESOLVED_LINKS_FOLDER, parseResolvedLinkState),
  ];
  // systemd 247 lists this agent there as well, and nowhere has a server's port.
  const common = await setup.resolvConf(RESOLVED_UPLINKS, { anyPort: true });
  if (common === undefined) return scopes;
  const known = [conf, ...scopes];
  const addresses = known.flatMap(({ servers }) => servers.map(({ address }) => address));
  const names = [...known.flatMap(({ domains }) => domains.map(({ domain }) => domain))];
  names.push(...ownDomains ?? []);
  const rest: DnsScope = {
    source: RESOLVED_UPLINKS,
    servers: common.nameservers
      .filter((address) => !addresses.includes(address))
      .map((address) => ({ address })),
    domains: common.searchDomains
      .filter((domain) => !names.includes(domain))
      .map((domain) => ({ domain, routeOnly: false })),
  };
  return [...scopes, rest];
}

/** The links that systemd-networkd set up; without this agent's own listeners. */
export function readNetworkdLinks(setup: SetupFiles): Promise<DnsScope[]> {
  return readLinkFiles(setup, NETWORKD_LINKS_FOLDER, parseNetworkdLink);
}

async function readLinkFiles(
  setup: SetupFiles,
  folder: string,
  parse: typeof parseNetworkdLink,
): Promise<DnsScope[]> {
  const indexes = (await setup.list(folder)).filter((name) => /^\d{1,10}$/.test(name));
  const scopes: DnsScope[] = [];
  for (const index of indexes.sort((a, b) => Number(a) - Number(b))) {
    const source = `${folder}/${index}`;
    const scope = parse(await setup.text(source) ?? "", { index, source });
    const servers = notOwn(setup, scope?.servers ?? []);
    if (scope !== undefined && servers.length > 0) scopes.push({ ...scope, servers });
  }
  return scopes;
}

function notOwn(setup: SetupFiles, servers: readonly ScopeServer[]): ScopeServer[] {
  return servers.filter(({ address, port = 53 }) => !setup.isOwn({ address, port }));
}
