/**
 * Whether this machine's own lookups get mesh names, tried with some of them: what stands between a program
 * and the agent (a validating systemd-resolved, nsswitch.conf, another capture) shows only so.
 *
 * @module
 */
import type { NamesReport } from "../health/api.ts";
import { NO_PROGRAM } from "../system/programs.ts";
import { answeredHosts, meshSample } from "../../doctor/mesh_sample.ts";
import type { CommandContext } from "./command_context.ts";

/** How many zones of the outside are tried; a name takes some 20 ms. */
const ZONES = 8;

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
  const report = await namesOf(health, context);
  if (report === undefined) return [];
  const { runProgram } = context.machine();
  const failing: string[] = [];
  for (const { name } of meshSample(report, clusterDomain)) {
    const { code } = await runProgram(["getent", "ahosts", name]);
    if (code === NO_PROGRAM) return [];
    if (code !== 0) failing.push(name);
  }
  return failing;
}

/**
 * Names of the mesh, at most one for each domain that may be a zone of its own: whoever validates believes
 * a whole zone or none of it. The first is below the cluster domain, whether there is a table or not.
 *
 * @param options see {@link findFailingLookups}
 */
export async function namesOfZones(
  { health, clusterDomain }: { health: string; clusterDomain: string },
  context: CommandContext,
): Promise<string[]> {
  const zones = new Map<string, string>();
  const report = await namesOf(health, context);
  for (const { name: host } of report === undefined ? [] : answeredHosts(report)) {
    if (host.endsWith(`.${clusterDomain}`)) continue;
    const zone = host.split(".").slice(-2).join(".");
    if (!zones.has(zone) && zones.size < ZONES) zones.set(zone, host);
  }
  return [`svc.${clusterDomain}`, ...zones.values()];
}

/** Some thousand names of the table; undefined where the agent cannot be asked. */
async function namesOf(health: string, context: CommandContext): Promise<NamesReport | undefined> {
  try {
    const response = await context.fetch(`http://${health}/api/v1/names?limit=1000`);
    return await response.json();
  } catch {
    return undefined;
  }
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
