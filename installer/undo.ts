/**
 * Carrying out inverses. Each may have been interrupted anywhere, or its step never carried out: it looks
 * how things are, and does what is left to do.
 *
 * @module
 */
import { dirname } from "node:path";
import { InstallError } from "./errors.ts";
import { fingerprintOf, runToEnd, type StepWorld } from "./step_actions.ts";
import {
  type Inverse,
  type RestoreContent,
  type RestoreFile,
  savedPath,
  unfinishedPath,
} from "./steps.ts";

/** Carries one out. @throws {InstallError} when a program fails, or what is to be given back is gone */
export async function undo(inverse: Inverse, world: StepWorld): Promise<void> {
  const { tree } = world;
  switch (inverse.kind) {
    case "restore file":
      return await giveBackFile(inverse, world);
    case "restore content":
      return await giveBackContent(inverse, world);
    case "remove directory":
      await tree.removeDirectory(unfinishedPath(inverse.path));
      await tree.removeDirectory(inverse.path);
      return await syncIfThere(dirname(inverse.path), world);
    case "remove tree":
      await tree.removeTree(inverse.path);
      return await syncIfThere(dirname(inverse.path), world);
    case "run":
      if (inverse.onlyIf && (await world.runProgram(inverse.onlyIf)).code !== 0) return;
      await runToEnd(inverse, world);
      return;
    case "release capture":
      return await world.releaseCapture();
  }
}

async function giveBackFile(
  { path, existed, ours, nameserver }: RestoreFile,
  world: StepWorld,
): Promise<void> {
  const { tree } = world;
  const [saved, unfinished] = [savedPath(path), unfinishedPath(path)];
  const parent = await tree.look(dirname(path));
  // Its folder is gone (a new boot emptied /run), and all of this with it.
  if (parent === undefined) return;
  await tree.remove(unfinished);
  const kept = await tree.look(saved);
  const entry = await tree.look(path);
  const current = await fingerprintOf(path, tree);
  const isOurs = current !== undefined && ours !== "any" && ours.includes(current);
  if (kept !== undefined) {
    if (entry?.inode === kept.inode) await tree.remove(saved);
    else if (isOurs || ours === "any") await tree.rename(saved, path);
    else {
      // Another program wrote it since: that is what the VM would have now.
      const before = kept.type === "file" ? await textOf(saved, world) : "";
      await replaceOwnLines({ path, nameserver, before }, world);
      await tree.remove(saved);
    }
  } else if (isOurs && existed) {
    throw new InstallError(
      "STEP_FAILED",
      `Give back ${path}: ${saved}, where it was kept, is gone. Write ${path} by hand.`,
    );
  } else if (isOurs || ours === "any" && !existed) await tree.remove(path);
  else await replaceOwnLines({ path, nameserver, before: "" }, world);
  await tree.sync(dirname(path));
}

async function giveBackContent(
  { path, before, ours, nameserver }: RestoreContent,
  world: StepWorld,
): Promise<void> {
  const { tree } = world;
  if ((await tree.look(path))?.type !== "file") return;
  const current = await textOf(path, world);
  // A write that was interrupted, ours or that of giving back, leaves the beginning of a text.
  const isOurs = [...ours, before].some((text) => text.startsWith(current));
  if (isOurs) {
    if (current !== before) await tree.overwrite(path, new TextEncoder().encode(before));
  } else {
    const text = withoutOwnLines(current, { nameserver, before });
    if (text !== current) await tree.overwrite(path, new TextEncoder().encode(text));
  }
}

/** A file of another program that still has our line names the agent, which is about to go. */
async function replaceOwnLines(
  { path, nameserver, before }: { path: string; nameserver: string | undefined; before: string },
  world: StepWorld,
): Promise<void> {
  const { tree } = world;
  const entry = await tree.look(path);
  if (entry?.type !== "file" || nameserver === undefined) return;
  const current = await textOf(path, world);
  const text = withoutOwnLines(current, { nameserver, before });
  if (text === current) return;
  await tree.create(unfinishedPath(path), new TextEncoder().encode(text), entry);
  await tree.rename(unfinishedPath(path), path);
}

/** A resolv.conf with the nameservers of before in the place of ours. */
export function withoutOwnLines(
  text: string,
  { nameserver, before }: { nameserver: string | undefined; before: string },
): string {
  const isOurs = (line: string) => {
    const [keyword, address] = line.trim().split(/\s+/);
    return keyword === "nameserver" && address === nameserver;
  };
  const lines = text.split("\n");
  const first = lines.findIndex(isOurs);
  if (nameserver === undefined || first === -1) return text;
  const others = before.split("\n").filter((line) => /^\s*nameserver\s/.test(line));
  const added = others.filter((line) => !isOurs(line) && !lines.includes(line));
  return [...lines.slice(0, first), ...added, ...lines.slice(first + 1)]
    .filter((line) => !isOurs(line)).join("\n");
}

async function textOf(path: string, { tree }: StepWorld): Promise<string> {
  return new TextDecoder().decode(await tree.readBytes(path));
}

async function syncIfThere(folder: string, { tree }: StepWorld): Promise<void> {
  if (await tree.look(folder) !== undefined) await tree.sync(folder);
}
