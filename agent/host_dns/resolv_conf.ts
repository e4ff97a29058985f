/**
 * The format of resolv.conf(5), as glibc reads it. Pure.
 *
 * @module
 */
import { parseAddress } from "../dns/ip_address.ts";
import { formatName, parseName } from "../dns/name.ts";

/** What a resolv.conf says. */
export interface ResolvConf {
  /** IP literals, in order. glibc uses the first three; all are kept here. */
  nameservers: string[];
  /** Canonical search domains. */
  searchDomains: string[];
  /** Texts of `options`, e.g. `ndots:5`. */
  options: string[];
  /** Lines that could not be used, `LINE: why`. */
  problems: string[];
}

/** Reads the text of a resolv.conf; a line that cannot be used is passed over, as glibc does. */
export function parseResolvConf(text: string): ResolvConf {
  const parsed: ResolvConf = { nameservers: [], searchDomains: [], options: [], problems: [] };
  text.split("\n").forEach((line, index) => {
    const problem = (why: string) => parsed.problems.push(`${index + 1}: ${why}`);
    if (/^\s*([#;]|$)/.test(line)) return;
    const [keyword, ...values] = line.trim().split(/\s+/);
    switch (keyword) {
      case "nameserver":
        if (values[0] === undefined) problem("nameserver without an address");
        else if (parseAddress(values[0]) === undefined) {
          problem(`nameserver "${values[0]}" is not an IP address`);
        } else parsed.nameservers.push(values[0]);
        break;
      // The last of `domain` and `search` wins.
      case "domain":
      case "search": {
        const names = keyword === "domain" ? values.slice(0, 1) : values;
        parsed.searchDomains = names.flatMap((value) => {
          const name = parseName(value);
          if (name === undefined) problem(`search domain "${value}" is not a domain name`);
          return name === undefined || formatName(name) === "." ? [] : [name];
        });
        break;
      }
      case "options":
        parsed.options.push(...values);
        break;
    }
  });
  return parsed;
}
