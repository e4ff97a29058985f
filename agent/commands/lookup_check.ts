/**
 * Whether this machine's own lookups get mesh names, tried with some of them: what stands between a program
 * and the agent (a validating systemd-resolved, nsswitch.conf, another capture) shows only so.
 *
 * @module
 */
import type { NamesReport } from "../health/api.ts";
import { NO_PROGRAM } from "../system/programs.ts";
import type { CommandContext } from "./command_context.ts";

/** How many names of each kind are tried. */
const SAMPLE = 2;

/**
 * Tries some names of the table as any program asks for them.
 *
 * @param options `health`: `ip:port` of the agent; `clusterDomain`: parts the cluster's names from others
 * @returns those that fail; none where nothing can be tried
 */
export async function findFailingLookups(
  { health, clusterDomain }: { health: string; clusterDomain: string },
  context: CommandContext,
): Promise<string[]> {
  let report: NamesReport;
  try {
    const response = await context.fetch(`http://${health}/api/v1/names?limit=1000`);
    report = await response.json();
  } catch {
    return [];
  }
  const { runProgram } = context.machine();
  const failing: string[] = [];
  for (const name of sampleOf(report, clusterDomain)) {
    const { code } = await runProgram(["getent", "ahosts", name]);
    if (code === NO_PROGRAM) return [];
    if (code !== 0) failing.push(name);
  }
  return failing;
}

/** Names of the cluster, the short form `service.namespace` of one, and names of the outside. */
function sampleOf({ names }: NamesReport, clusterDomain: string): string[] {
  const hosts = names
    .filter(({ host, served, addresses }) =>
      served && addresses.length > 0 && !host.startsWith("*")
    )
    .map(({ host }) => host);
  const isInside = (host: string) => host.endsWith(`.svc.${clusterDomain}`);
  const inside = hosts.filter(isInside).slice(0, SAMPLE);
  return [
    ...inside,
    ...inside.slice(0, 1).map((host) => host.slice(0, -`.svc.${clusterDomain}`.length)),
    ...hosts.filter((host) => !isInside(host)).slice(0, SAMPLE),
  ];
}

/** What to do about them, for people; undefined where there are none. */
export function adviceOn(
  failing: readonly string[],
  captures: readonly string[],
): string | undefined {
  if (failing.length === 0) return undefined;
  const why = captures.includes("resolved")
    ? "systemd-resolved may take them for forged (DNSSEC= in resolved.conf): choose DNSSEC=no, or " +
      "--capture resolv-conf"
    : captures.includes("nftables")
    ? "what is asked first may not pass them on: choose another --capture"
    : "see the line `hosts:` of nsswitch.conf, which says what glibc asks";
  return `These names of the mesh do not resolve on this machine: ${
    failing.join(", ")
  }. The agent ` +
    `answers them (outrigger lookup NAME); ${why}.`;
}
