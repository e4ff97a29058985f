/**
 * The format of resolved.conf(5) and its drop-ins, as far as it says which servers to ask. Pure.
 *
 * @module
 */
import {
  type DnsOverTls,
  parseDnsOverTls,
  parseScopeDomain,
  parseScopeServer,
  type ScopeDomain,
  type ScopeServer,
} from "./dns_scope.ts";

/** What resolved.conf says, its drop-ins taken together. */
export interface ResolvedConf {
  /** `DNS=`. */
  servers: ScopeServer[];
  /** `FallbackDNS=`: used where there is no other server at all. */
  fallbackServers: ScopeServer[];
  /** `Domains=`. */
  domains: ScopeDomain[];
  /** `DNSOverTLS=`, which holds for links too that do not say. */
  dnsOverTls?: DnsOverTls;
  /** Values that could not be used. */
  problems: string[];
}

/** What holds where no file says anything. */
export const NO_RESOLVED_CONF: ResolvedConf = {
  servers: [],
  fallbackServers: [],
  domains: [],
  problems: [],
};

/** Reads one file on top of those before it: lists grow, and an empty value empties them. */
export function parseResolvedConf(
  text: string,
  before: ResolvedConf = NO_RESOLVED_CONF,
): ResolvedConf {
  const conf: ResolvedConf = { ...before, problems: [...before.problems] };
  const read = <T>(key: string, value: string, list: T[], parse: (word: string) => T | undefined) =>
    value === "" ? [] : [
      ...list,
      ...value.split(/\s+/).flatMap((word) => {
        const parsed = parse(word);
        if (parsed === undefined) conf.problems.push(`${key}="${word}" cannot be used`);
        return parsed === undefined ? [] : [parsed];
      }),
    ];
  let section = "";
  // A line that ends in a backslash goes on in the next one.
  for (const line of text.replaceAll(/\\\n/g, " ").split("\n")) {
    const trimmed = line.trim();
    if (trimmed === "" || trimmed.startsWith("#") || trimmed.startsWith(";")) continue;
    if (trimmed.startsWith("[")) section = trimmed;
    const match = /^([A-Za-z]+)\s*=\s*(.*)$/.exec(trimmed);
    if (section !== "[Resolve]" || match === null) continue;
    const [, key, value] = match;
    switch (key) {
      case "DNS":
        conf.servers = read(key, value, conf.servers, parseScopeServer);
        break;
      case "FallbackDNS":
        conf.fallbackServers = read(key, value, conf.fallbackServers, parseScopeServer);
        break;
      case "Domains":
        conf.domains = read(key, value, conf.domains, parseScopeDomain);
        break;
      case "DNSOverTLS":
        conf.dnsOverTls = parseDnsOverTls(value) ?? conf.dnsOverTls;
        break;
    }
  }
  return conf;
}
