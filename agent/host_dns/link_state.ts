/**
 * The state files that systemd keeps of each link: of systemd-networkd below /run/systemd/netif/links,
 * and, of links that others told systemd-resolved about, below /run/systemd/resolve/netif. Seen alike on
 * systemd 247, 252 and 257. Pure.
 *
 * @module
 */
import {
  type DnsScope,
  parseDnsOverTls,
  parseScopeDomain,
  parseScopeServer,
  type ScopeDomain,
} from "./dns_scope.ts";

/** A link with these is not there, or cannot be sent on; systemd-resolved does not use it either. */
const DOWN = ["missing", "off", "no-carrier", "dormant"];

/**
 * Reads a file of systemd-networkd; undefined where the link has no servers, or is down.
 *
 * @param options `index`: the link's, which is the file's name
 */
export function parseNetworkdLink(
  text: string,
  options: { index: string; source: string },
): DnsScope | undefined {
  const values = parseStateFile(text);
  if (DOWN.includes(values.get("OPER_STATE") ?? "")) return undefined;
  return scopeOf({
    servers: values.get("DNS"),
    domains: [
      ...words(values.get("DOMAINS")),
      ...words(values.get("ROUTE_DOMAINS")).map((domain) => `~${domain}`),
    ],
    defaultRoute: values.get("DNS_DEFAULT_ROUTE"),
    dnsOverTls: values.get("DNS_OVER_TLS"),
  }, options);
}

/**
 * Reads a file of systemd-resolved; undefined where the link has no servers.
 *
 * @param options `index`: the link's, which is the file's name
 */
export function parseResolvedLinkState(
  text: string,
  options: { index: string; source: string },
): DnsScope | undefined {
  const values = parseStateFile(text);
  return scopeOf({
    servers: values.get("SERVERS"),
    domains: words(values.get("DOMAINS")),
    defaultRoute: values.get("DEFAULT_ROUTE"),
    dnsOverTls: values.get("DNSOVERTLS"),
  }, options);
}

function scopeOf(
  values: {
    servers: string | undefined;
    domains: string[];
    defaultRoute: string | undefined;
    dnsOverTls: string | undefined;
  },
  { index, source }: { index: string; source: string },
): DnsScope | undefined {
  const servers = words(values.servers)
    .map((text) => parseScopeServer(text, { zone: index }))
    .filter((server) => server !== undefined);
  if (servers.length === 0) return undefined;
  const domains = values.domains.map(parseScopeDomain)
    .filter((domain): domain is ScopeDomain => domain !== undefined);
  const dnsOverTls = parseDnsOverTls(values.dnsOverTls);
  const { defaultRoute } = values;
  return {
    source,
    link: Number(index),
    servers,
    domains,
    ...(defaultRoute === "yes" || defaultRoute === "no"
      ? { defaultRoute: defaultRoute === "yes" }
      : {}),
    ...(dnsOverTls === undefined ? {} : { dnsOverTls }),
  };
}

/** Lines of `KEY=value`, the value perhaps in double quotes; of several the last counts. */
function parseStateFile(text: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const line of text.split("\n")) {
    const match = /^([A-Z0-9_]+)=("?)(.*)\2\s*$/.exec(line);
    if (match !== null) values.set(match[1], match[3]);
  }
  return values;
}

function words(text: string | undefined): string[] {
  return text?.split(/\s+/).filter((word) => word !== "") ?? [];
}
