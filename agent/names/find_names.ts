/**
 * The name table as people look through it: filtered by a pattern and sorted. Pure.
 *
 * @module
 */
import { type MeshView, servedAddresses } from "./mesh_lookup.ts";
import type { MeshHost, NameTable } from "./name_table.ts";

/** A host with what this node makes of it. */
export interface FoundName {
  /** The host. */
  host: MeshHost;
  /** Whether all its addresses are automatic VIPs. */
  autoAllocated: boolean;
  /** Whether it is answered here. */
  served: boolean;
}

/**
 * The hosts whose name or alias matches, sorted by name.
 *
 * @param pattern with `*` for any text (`*.ns1.*`), the whole name must match; without, a part of the
 * name is enough; empty matches all. Letter case does not count.
 */
export function findNames(
  { table, view }: { table: NameTable; view: MeshView },
  pattern: string,
): FoundName[] {
  const matches = matcher(pattern.toLowerCase());
  return [...table.hosts()]
    .filter((host) => matches(host.host) || host.altHosts.some(matches))
    .sort((a, b) => a.host < b.host ? -1 : 1)
    .map((host) => ({
      host,
      autoAllocated: host.plainAddresses.length === 0,
      served: servedAddresses(host, view).length > 0,
    }));
}

/** Glob matching without regular expressions: a pattern may not cost exponential time. */
function matcher(pattern: string): (name: string) => boolean {
  if (!pattern.includes("*")) return (name) => name.includes(pattern);
  const [first, ...rest] = pattern.split("*");
  const last = rest.pop()!;
  return (name) => {
    if (name.length < first.length + last.length) return false;
    if (!name.startsWith(first) || !name.endsWith(last)) return false;
    let from = first.length;
    const end = name.length - last.length;
    for (const part of rest) {
      const at = name.indexOf(part, from);
      if (at === -1 || at + part.length > end) return false;
      from = at + part.length;
    }
    return true;
  };
}
