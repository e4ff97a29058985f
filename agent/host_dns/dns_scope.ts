/**
 * Servers that belong together with the domains that they are for: those of one link, or of the whole
 * machine. How systemd-resolved thinks of a VM's set-up, and how every other set-up can be said too.
 * Knows nothing of where they were read. Pure.
 *
 * @module
 */
import { parseAddress } from "../dns/ip_address.ts";
import { isBelow, parseName } from "../dns/name.ts";
import { formatNameserver, type Nameserver } from "../system/nameserver.ts";

/** A server as a set-up names it; how it is spoken to is up to its {@link DnsScope}. */
export interface ScopeServer {
  /** An IP literal, a link-local IPv6 address with its zone. */
  address: string;
  /** Where it is not the usual one. */
  port?: number;
  /** The name in its certificate. */
  serverName?: string;
}

/** A domain that a scope's servers are for. */
export interface ScopeDomain {
  /** Canonical; `""` (`~.`) draws all names. */
  domain: string;
  /** Whether it is no search domain as well (`~corp.example`). */
  routeOnly: boolean;
}

/** `DNSOverTLS=`. */
export type DnsOverTls = "yes" | "opportunistic" | "no";

/** Servers with their domains. */
export interface DnsScope {
  /** Where they were found, for people. */
  source: string;
  /** Index of the link that they are of; undefined where they are the whole machine's. */
  link?: number;
  /** In order. */
  servers: ScopeServer[];
  /** In order. */
  domains: ScopeDomain[];
  /** Whether the servers are for all other names as well; decided by the domains unless given. */
  defaultRoute?: boolean;
  /** How the servers are spoken to; as on the whole machine unless given. */
  dnsOverTls?: DnsOverTls;
}

/** What scopes come to, together. */
export interface CombinedScopes {
  /** Servers of all names that no domain is given for. */
  servers: Nameserver[];
  /** Servers of domains. */
  domains: { domain: string; servers: Nameserver[] }[];
  /** Search domains of all scopes. */
  searchDomains: string[];
}

const DNS_PORT = 53;
const DNS_OVER_TLS_PORT = 853;

/**
 * Combines scopes as systemd-resolved does: a name goes to the scopes with the longest domain that
 * matches, else to those that are a default route. A domain whose names would go to the same servers
 * without it is left out.
 *
 * @param dnsOverTls for scopes that do not say
 */
export function combineScopes(
  scopes: readonly DnsScope[],
  dnsOverTls: DnsOverTls = "no",
): CombinedScopes {
  const byDomain = new Map<string, Nameserver[]>();
  const defaults: Nameserver[] = [];
  for (const scope of scopes) {
    const servers = scope.servers.map((server) =>
      nameserver(server, scope.dnsOverTls ?? dnsOverTls)
    );
    if (servers.length === 0) continue;
    if (isDefaultRoute(scope)) add(defaults, servers);
    for (const { domain } of scope.domains) {
      if (!byDomain.has(domain)) byDomain.set(domain, []);
      add(byDomain.get(domain)!, servers);
    }
  }
  // `~.` is a match, and so wins against mere default routes.
  const servers = byDomain.get("") ?? defaults;
  byDomain.delete("");
  const domains = [...byDomain].map(([domain, servers]) => ({ domain, servers }));
  return {
    servers,
    domains: domains.filter(({ domain, servers: own }) => {
      const above = domains
        .filter((other) => isBelow(domain, other.domain))
        .sort((a, b) => b.domain.length - a.domain.length)[0];
      return keyOf(own) !== keyOf(above?.servers ?? servers);
    }),
    searchDomains: unique(
      scopes.flatMap(({ domains }) =>
        domains.flatMap(({ domain, routeOnly }) => routeOnly || domain === "" ? [] : [domain])
      ),
    ),
  };
}

/** A link with routing domains only (a VPN's, say) does not volunteer for other names. */
function isDefaultRoute({ defaultRoute, domains }: DnsScope): boolean {
  return defaultRoute ?? (domains.some(({ domain }) => domain === "") ||
    !domains.some(({ routeOnly }) => routeOnly));
}

/**
 * How a server is spoken to. Opportunistic TLS is not tried: whoever could read the query could as well
 * make it fail. On port 853 nobody speaks anything but TLS (RFC 7858 section 3.1), nor TLS on 53.
 */
function nameserver(server: ScopeServer, dnsOverTls: DnsOverTls): Nameserver {
  const { address, port = DNS_PORT, serverName } = server;
  if (dnsOverTls !== "yes" && port !== DNS_OVER_TLS_PORT) return { address: { address, port } };
  return {
    address: { address, port: port === DNS_PORT ? DNS_OVER_TLS_PORT : port },
    tls: serverName === undefined ? {} : { serverName },
  };
}

function add(to: Nameserver[], servers: readonly Nameserver[]): void {
  const known = new Set(to.map(formatNameserver));
  for (const server of servers) {
    const key = formatNameserver(server);
    if (!known.has(key)) to.push(server);
    known.add(key);
  }
}

function keyOf(servers: readonly Nameserver[]): string {
  return servers.map(formatNameserver).join();
}

/** Each text once, in the order of its first appearance. */
export function unique(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}

const NAMED = /^(.*?)(?:#([A-Za-z0-9_.-]{1,253}))?$/s;
const ZONE = /^[A-Za-z0-9_.:@-]{1,15}$/;

/**
 * Reads a server as systemd writes it: `192.0.2.53`, `192.0.2.53:5353%eth0#dns.example.org`,
 * `[2001:db8::53]:5353`, `fe80::1%2`; undefined for anything else.
 *
 * @param options `zone`: the interface that a link-local address without one is on
 */
export function parseScopeServer(
  text: string,
  { zone }: { zone?: string } = {},
): ScopeServer | undefined {
  const [, place, serverName] = NAMED.exec(text) ?? [];
  const match = /^(?:\[([^\]%]+)\]|([0-9.]+)(?=[:%]|$)|([^\]%[]+))(?::(\d{1,5}))?(?:%(.*))?$/s
    .exec(place ?? "");
  if (match === null) return undefined;
  const [, bracketed, ipv4, ipv6, portText, ownZone] = match;
  const literal = bracketed ?? ipv4 ?? ipv6;
  const port = portText === undefined ? undefined : Number(portText);
  if (parseAddress(literal) === undefined || literal.includes(":") !== (ipv4 === undefined)) {
    return undefined;
  }
  if (port === 0 || (port ?? 0) > 0xffff) return undefined;
  if (ownZone !== undefined && !ZONE.test(ownZone)) return undefined;
  return {
    address: withZone(literal, ownZone ?? zone),
    ...(port === undefined ? {} : { port }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** An IP literal on a link: only a link-local IPv6 address (fe80::/10) means nothing without its zone. */
export function withZone(literal: string, zone: string | undefined): string {
  return zone !== undefined && /^fe[89ab]/i.test(literal) ? `${literal}%${zone}` : literal;
}

/** Reads a domain as systemd writes it: `corp.example`, `~corp.example`, `~.`. */
export function parseScopeDomain(text: string): ScopeDomain | undefined {
  const routeOnly = text.startsWith("~");
  const domain = parseName(routeOnly ? text.slice(1) : text);
  return domain === undefined ? undefined : { domain, routeOnly };
}

/** Reads a value of `DNSOverTLS=`, booleans as systemd reads them included. */
export function parseDnsOverTls(text: string | undefined): DnsOverTls | undefined {
  const value = text?.toLowerCase() ?? "";
  if (value === "opportunistic") return "opportunistic";
  if (/^(1|y|yes|t|true|on)$/.test(value)) return "yes";
  return /^(0|n|no|f|false|off)$/.test(value) ? "no" : undefined;
}
