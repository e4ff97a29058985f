/**
 * Who may import whom: a file imports only from lower ranks and from its own folder. The table of
 * ARCHITECTURE.md is tested against this one.
 *
 * @module
 */

/** Rank by path prefix; of several the longest counts. */
export const RANKS: Readonly<Record<string, number>> = {
  "agent/dns/": 0,
  "agent/system/": 0,
  "agent/build_info.ts": 0,
  "agent/downloads.ts": 0,
  "agent/html_page.ts": 0,
  "agent/version.ts": 0,
  "systemd/": 0,
  "distribution/": 0,
  "agent/config/": 1,
  "agent/metrics/": 1,
  "agent/names/": 1,
  "agent/cache/": 1,
  "agent/host_dns/": 1,
  "agent/upstream/": 2,
  "agent/mesh/": 2,
  "agent/resolver/": 3,
  "agent/server/": 4,
  "agent/health/": 4,
  "installer/": 4,
  "control_plane/": 4,
  "doctor/": 5,
  "agent/": 5,
  "agent/commands/": 6,
  "agent/main.ts": 7,
};

/** The prefix of {@link RANKS} that a path of the repository falls under. */
export function unitOf(path: string): string | undefined {
  return Object.keys(RANKS)
    .filter((prefix) => path.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
}
