/**
 * Where systemd-resolved validates (DNSSEC=), whether it believes what the agent says: names of the mesh
 * carry no signature, and in a zone that is signed that makes them forged. Which ones differs from version
 * to version (247, 252 and 257 were seen), so that some are tried for real. What came of it is remembered
 * until systemd-resolved is started anew, which every remedy needs: to try again at each look would cut
 * into the VM's lookups each time.
 *
 * @module
 */
import type { FileTree } from "../agent/system/file_tree.ts";
import type { RunProgram } from "../agent/system/programs.ts";

/** What came of it, until the next boot. */
const TRIAL = "/run/outrigger-capture.trial";
/** How long systemd-resolved may take for a name, in seconds: where the network is away nothing can be told. */
const TIMEOUT_SECONDS = 3;
/** How timeout(1) ends then. */
const TIMED_OUT = 124;
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

/**
 * Asks systemd-resolved for names, one after the other.
 *
 * @returns those that it takes for forged; undefined where it cannot tell, since nobody answers it
 */
export async function findForged(
  names: readonly string[],
  { runProgram }: Pick<TrialWorld, "runProgram">,
): Promise<string[] | undefined> {
  const forged: string[] = [];
  for (const name of names) {
    const { code, stderr } = await runProgram([
      ...["timeout", `${TIMEOUT_SECONDS}`, "resolvectl", "query", "--legend=no", name],
    ]);
    if (code === TIMED_OUT) return undefined;
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

/**
 * What came of the last trial, if systemd-resolved has not been started since: why the capture is refused,
 * or nothing where it stands.
 */
export async function readTrial({ tree, runProgram }: TrialWorld): Promise<string | undefined> {
  if (await tree.look(TRIAL) === undefined) return undefined;
  const [start, ...words] = new TextDecoder().decode(await tree.readBytes(TRIAL)).split("\n");
  return start === await startOf(runProgram) ? words.join("\n") : undefined;
}

/** Remembers what came of a trial. @param refusal nothing where the capture stands */
export async function writeTrial(
  refusal: string,
  { tree, runProgram }: TrialWorld,
): Promise<void> {
  await tree.remove(TRIAL);
  const content = new TextEncoder().encode(`${await startOf(runProgram)}\n${refusal}`);
  await tree.create(TRIAL, content, { mode: 0o644 });
}

/** Forgets it. */
export async function forgetTrial({ tree }: Pick<TrialWorld, "tree">): Promise<void> {
  await tree.remove(TRIAL);
}

/** What tells one start of systemd-resolved from the next. */
async function startOf(runProgram: RunProgram): Promise<string> {
  const command = ["systemctl", "show", "--property=InvocationID", UNIT];
  return (await runProgram(command)).stdout.trim();
}
