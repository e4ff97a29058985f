/**
 * Binaries to upgrade to: the one under test with another version in it, and with other units, and
 * programs that only say that they are a version.
 *
 * @module
 */
import { join } from "node:path";
import { runToEnd } from "../support/child_process.ts";
import project from "../../deno.json" with { type: "json" };
import { binaryUnderTest } from "./vm_agent.ts";

/** The version that is upgraded to: as long as the one under test. */
export const NEW_VERSION = `${project.version.slice(0, -1)}${
  project.version.endsWith("9") ? 8 : 9
}`;

/** How an impostor does not work. */
export type Fault = "crash" | "hang" | "mute";

/**
 * Writes the binary under test with other texts in it, each as long as the one that it replaces: what is
 * compiled in lies in it as it is, and a build takes a minute.
 */
export async function writeChanged(path: string, changes: Record<string, string>): Promise<void> {
  const binary = await Deno.readFile(await binaryUnderTest());
  const all = { [`version:"${project.version}"`]: `version:"${NEW_VERSION}"`, ...changes };
  for (const [text, other] of Object.entries(all)) replaceOnce(binary, text, other);
  await Deno.writeFile(path, binary, { mode: 0o755 });
}

/** Writes an impostor. */
export async function writeImpostor(path: string, fault: Fault): Promise<void> {
  const source = join(import.meta.dirname!, "impostor.c");
  await runToEnd("gcc", ["-static", "-O1", `-DMODE="${fault}"`, "-o", path, source]);
}

function replaceOnce(binary: Uint8Array, text: string, other: string): void {
  const [from, to] = [text, other].map((text) => new TextEncoder().encode(text));
  if (from.length !== to.length) throw new Error(`"${other}" is not as long as "${text}"`);
  const found: number[] = [];
  for (let at = binary.indexOf(from[0]); at !== -1; at = binary.indexOf(from[0], at + 1)) {
    if (from.every((octet, i) => binary[at + i] === octet)) found.push(at);
  }
  if (found.length !== 1) throw new Error(`"${text}" is ${found.length} times in the binary`);
  binary.set(to, found[0]);
}
