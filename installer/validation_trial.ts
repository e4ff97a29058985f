/**
 * Where systemd-resolved validates (DNSSEC=), whether it believes what the agent says: names of the mesh
 * carry no signature, and in a zone that is signed that makes them forged. Which ones differs from version
 * to version (247, 252 and 257 were seen), so that some are tried for real. A refusal is remembered until
 * systemd-resolved is started anew, which every remedy needs: to try again at each look would cut into the
 * VM's lookups each time.
 *
 * @module
 */
import type { FileTree } from "../agent/system/file_tree.ts";
import type { RunProgram } from "../agent/system/programs.ts";

/** Remembers a refusal, until the next boot. */
const REFUSED = "/run/outrigger-capture.refused";
/** What resolvectl says of an answer that it does not believe. */
const FORGED = "DNSSEC validation failed";
const UNIT = "systemd-resolved.service";

/** What a trial touches. */
export interface TrialWorld {
  /** The file system. */
  tree: FileTree;
  /** Other programs. */
  runProgram: RunProgram;
}

/** Asks systemd-resolved for names, one after the other. @returns those that it takes for forged */
export async function findForged(
  names: readonly string[],
  { runProgram }: Pick<TrialWorld, "runProgram">,
): Promise<string[]> {
  const forged: string[] = [];
  for (const name of names) {
    const { stderr } = await runProgram(["resolvectl", "query", "--legend=no", name]);
    if (stderr.includes(FORGED)) forged.push(name);
  }
  return forged;
}

/** What is wrong and what to choose, for people. */
export function adviceOnForged(
  forged: readonly string[],
  { clusterDomain, dnssec }: { clusterDomain: string; dnssec: string },
): string {
  const isInside = (name: string) => name === clusterDomain || name.endsWith(`.${clusterDomain}`);
  const exempt = [clusterDomain, ...forged.filter((name) => !isInside(name))];
  return `systemd-resolved validates (DNSSEC=${dnssec}), finds these names of the mesh in a signed ` +
    `zone, and takes them for forged: ${forged.join(", ")}. Exempt them (printf '%s\\n' ` +
    `${
      exempt.join(" ")
    } > /etc/dnssec-trust-anchors.d/mesh.negative; where there is no such file yet, ` +
    "it takes the place of systemd's own list, see dnssec-trust-anchors.d(5)) or choose DNSSEC=no in " +
    "resolved.conf, and then: systemctl restart systemd-resolved. Or let them fail: --capture resolved.";
}

/** The refusal that holds: systemd-resolved has not been started since. */
export async function readRefusal({ tree, runProgram }: TrialWorld): Promise<string | undefined> {
  if (await tree.look(REFUSED) === undefined) return undefined;
  const [start, ...words] = new TextDecoder().decode(await tree.readBytes(REFUSED)).split("\n");
  return start === await startOf(runProgram) ? words.join("\n") : undefined;
}

/** Remembers a refusal, once everything is as it was. */
export async function writeRefusal(
  text: string,
  { tree, runProgram }: TrialWorld,
): Promise<void> {
  await tree.remove(REFUSED);
  const content = new TextEncoder().encode(`${await startOf(runProgram)}\n${text}`);
  await tree.create(REFUSED, content, { mode: 0o644 });
}

/** Forgets it. */
export async function forgetRefusal({ tree }: Pick<TrialWorld, "tree">): Promise<void> {
  await tree.remove(REFUSED);
}

/** What tells one start of systemd-resolved from the next. */
async function startOf(runProgram: RunProgram): Promise<string> {
  const command = ["systemctl", "show", "--property=InvocationID", UNIT];
  return (await runProgram(command)).stdout.trim();
}
