/**
 * The names that a benchmark asks for, and in which order: the same seed gives the same ones.
 *
 * @module
 */
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { SeededRandom } from "../support/seeded_random.ts";

/** Search domains of the benchmark's stubs: the mesh's for namespace `default`, and a company's. */
export const SEARCH_DOMAINS = [
  "default.svc.cluster.local",
  "svc.cluster.local",
  "cluster.local",
  "corp.example",
];
/** Every name below it has one address, which may be cached. */
export const CACHED_DOMAIN = "cached.example";
/** Every name below it has one address; each is asked for once. */
export const MISSES_DOMAIN = "misses.example";
/** How many external names are asked for again and again. */
export const CACHED_NAMES = 1_000;

/** Services with one address each, spread over 50 namespaces. */
export function meshHosts(count: number): HostEntry[] {
  return Array.from({ length: count }, (_, i) => {
    const shortName = `svc-${String(i).padStart(4, "0")}`;
    const namespace = `ns-${String(i % 50).padStart(2, "0")}`;
    return {
      host: `${shortName}.${namespace}.svc.cluster.local`,
      // From 10.1.0.0 on: 10.0.0.0 is no host's.
      addresses: [`10.${1 + (i >> 16)}.${i >> 8 & 255}.${i & 255}`],
      registry: "Kubernetes",
      shortName,
      namespace,
      altHosts: [],
    };
  });
}

/** What a workload's queries are made of, in parts of all that are asked. */
export interface QueryMix {
  /** Mesh names. */
  mesh?: number;
  /** Mesh names behind the first search domain. */
  autopath?: number;
  /** External names that repeat. */
  cached?: number;
  /** External names that never do. */
  misses?: number;
}

/**
 * Lines for a query file, in random order. Where every query is for a name of a set, each name comes
 * once; else `count` are drawn.
 *
 * @param tag sets apart the names that never repeat from those of any other file
 */
export function queryLines(
  mix: QueryMix,
  { hosts, tag, count, seed }: {
    hosts: readonly HostEntry[];
    tag: string;
    count: number;
    seed: number;
  },
): string[] {
  const random = new SeededRandom(seed, tag);
  const kinds = Object.keys(mix) as (keyof QueryMix)[];
  let misses = 0;
  const nameOf = (kind: keyof QueryMix, i: number): string => {
    if (kind === "mesh") return hosts[i % hosts.length].host;
    if (kind === "autopath") return `${hosts[i % hosts.length].host}.${SEARCH_DOMAINS[0]}`;
    if (kind === "cached") return `www-${i % CACHED_NAMES}.${CACHED_DOMAIN}`;
    return `u${misses++}.${tag}.${MISSES_DOMAIN}`;
  };
  if (kinds.length === 1) {
    const [kind] = kinds;
    const size = kind === "misses" ? count : kind === "cached" ? CACHED_NAMES : hosts.length;
    const lines = Array.from({ length: size }, (_, i) => `${nameOf(kind, i)} A`);
    return shuffle(lines, random);
  }
  return Array.from({ length: count }, () => {
    const kind = drawKind(mix, random.fraction());
    return `${nameOf(kind, random.between(0, 2 ** 30))} A`;
  });
}

function drawKind(mix: QueryMix, fraction: number): keyof QueryMix {
  const parts = Object.entries(mix) as [keyof QueryMix, number][];
  for (const [kind, part] of parts) {
    if (fraction < part) return kind;
    fraction -= part;
  }
  return parts.at(-1)![0];
}

function shuffle<T>(items: T[], random: SeededRandom): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.between(0, i);
    [items[i], items[j]] = [items[j], items[i]];
  }
  return items;
}
