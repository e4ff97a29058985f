/**
 * Carrying out steps: whether one is in force already, what would undo it, doing it. The inverses are
 * carried out in `undo.ts`.
 *
 * @module
 */
import { dirname } from "node:path";
import { createHash } from "node:crypto";
import type { FileTree, Ownership } from "../agent/system/file_tree.ts";
import type { ProgramResult, RunProgram } from "../agent/system/programs.ts";
import { InstallError } from "./errors.ts";
import {
  type Command,
  type Inverse,
  type RestoreContent,
  type RestoreFile,
  savedPath,
  type Step,
  unfinishedPath,
} from "./steps.ts";

/** What steps change. */
export interface StepWorld {
  /** The file system. */
  tree: FileTree;
  /** Other programs. */
  runProgram: RunProgram;
  /** Waits until the agent is ready and answers. @throws {InstallError} when it does not get there */
  awaitServing(): Promise<void>;
  /** Undoes the capture. @throws {InstallError} when a part of it cannot be undone */
  releaseCapture(): Promise<void>;
}

/**
 * What lies at a path, in a text that is the same for the same content or link only; undefined where there
 * is nothing.
 */
export async function fingerprintOf(path: string, tree: FileTree): Promise<string | undefined> {
  const entry = await tree.look(path);
  if (entry?.type === "file") return fingerprintOfContent(await tree.readBytes(path));
  if (entry?.type === "link") return fingerprintOfLink(await tree.readLink(path));
  return entry?.type;
}

function fingerprintOfContent(content: Uint8Array): string {
  return `sha256 ${createHash("sha256").update(content).digest("hex")}`;
}

function fingerprintOfLink(target: string): string {
  return `link ${target}`;
}

/** What a step leaves at its path. */
async function fingerprintAfter(step: Step, tree: FileTree): Promise<string> {
  switch (step.kind) {
    case "write file":
      return fingerprintOfContent(encode(step.text));
    case "make link":
      return fingerprintOfLink(step.target);
    case "copy file":
      return await fingerprintOf(step.from, tree) ?? "";
    default:
      return "";
  }
}

/** Whether a step has nothing to do. @param changed whether a step before it did something */
export async function isInForce(
  step: Step,
  { tree, runProgram }: StepWorld,
  changed: boolean,
): Promise<boolean> {
  switch (step.kind) {
    case "write file":
    case "make link":
    case "copy file": {
      if (await fingerprintOf(step.path, tree) !== await fingerprintAfter(step, tree)) return false;
      if (step.kind === "make link" || step.kind === "write file" && step.inPlace) return true;
      const entry = await tree.look(step.path);
      const { mode, gid = 0 } = await ownershipOf(step, tree);
      return entry?.mode === mode && entry.gid === gid;
    }
    case "make directory":
      return (await tree.look(step.path))?.type === "directory";
    case "own tree":
    case "release capture":
      return false;
    case "run":
      if (step.afterChange && !changed) return true;
      return step.unless !== undefined && (await runProgram(step.unless)).code === 0;
    case "await serving":
      return !changed;
  }
}

/**
 * What will undo a step, from how things are now.
 *
 * @param known the inverse of the same step from an earlier time, whose step may have been carried out
 */
export async function inverseOf(
  step: Step,
  { tree }: StepWorld,
  known: Inverse | undefined,
): Promise<Inverse | undefined> {
  switch (step.kind) {
    case "write file":
      if (step.inPlace) return await restoreContent(step, tree, known);
      return await restoreFile(step, tree, known);
    case "make link":
    case "copy file":
      return await restoreFile(step, tree, known);
    case "make directory":
      return { kind: "remove directory", path: step.path };
    case "own tree":
      return { kind: "remove tree", path: step.path };
    case "run":
      return step.down && { kind: "run", ...step.down };
    case "await serving":
      return undefined;
    case "release capture":
      return { kind: "release capture" };
  }
}

async function restoreFile(
  step: Step & { path: string },
  tree: FileTree,
  known: Inverse | undefined,
): Promise<RestoreFile> {
  const after = await fingerprintAfter(step, tree);
  const nameserver = step.kind === "write file" ? step.nameserver : undefined;
  const current = await fingerprintOf(step.path, tree);
  const mine = known?.kind === "restore file" ? known : undefined;
  const isOurs = mine !== undefined && current !== undefined &&
    (mine.ours === "any" || mine.ours.includes(current));
  const before = mine !== undefined && isOurs
    ? { existed: mine.existed, earlier: mine.ours }
    : { existed: current !== undefined, earlier: [] };
  return {
    kind: "restore file",
    path: step.path,
    existed: before.existed,
    ours: step.kind === "copy file" || before.earlier === "any"
      ? "any"
      : [...new Set([...before.earlier, after])],
    ...(nameserver !== undefined && { nameserver }),
  };
}

async function restoreContent(
  step: Step & { kind: "write file" },
  tree: FileTree,
  known: Inverse | undefined,
): Promise<RestoreContent> {
  const current = new TextDecoder().decode(await tree.readBytes(step.path));
  const mine = known?.kind === "restore content" ? known : undefined;
  // A write that was interrupted, ours or that of giving back, leaves the beginning of a text.
  const isOurs = mine !== undefined &&
    [...mine.ours, mine.before].some((text) => text.startsWith(current));
  return {
    kind: "restore content",
    path: step.path,
    before: isOurs ? mine.before : current,
    ours: [...new Set([...isOurs ? mine.ours : [], step.text])],
    ...(step.nameserver !== undefined && { nameserver: step.nameserver }),
  };
}

/**
 * Carries out a step. Its inverse is on disk by now.
 *
 * @throws {InstallError} when a program fails
 */
export async function carryOut(
  step: Step,
  inverse: Inverse | undefined,
  world: StepWorld,
): Promise<void> {
  const { tree } = world;
  switch (step.kind) {
    case "write file":
      if (step.inPlace) return await tree.overwrite(step.path, encode(step.text));
      return await replace(step.path, inverse as RestoreFile, tree, async (path) => {
        await tree.create(path, encode(step.text), await ownershipOf(step, tree));
      });
    case "make link":
      return await replace(
        step.path,
        inverse as RestoreFile,
        tree,
        (path) => tree.makeLink(step.target, path),
      );
    case "copy file":
      return await replace(step.path, inverse as RestoreFile, tree, async (path) => {
        await tree.copy(step.from, path, await ownershipOf(step, tree));
      });
    case "make directory": {
      // Made under another name: whoever finds the folder finds it with its mode and group.
      const unfinished = unfinishedPath(step.path);
      await tree.removeDirectory(unfinished);
      await tree.makeDirectory(unfinished, await ownershipOf(step, tree));
      await tree.rename(unfinished, step.path);
      return await tree.sync(dirname(step.path));
    }
    case "own tree":
    case "release capture":
      return;
    case "run":
      if (step.up !== undefined) await runToEnd(step.up, world);
      return;
    case "await serving":
      return await world.awaitServing();
  }
}

/** Puts what `make` makes at a path; what lies there goes on beside it, as the same file. */
async function replace(
  path: string,
  { existed, ours }: RestoreFile,
  tree: FileTree,
  make: (path: string) => Promise<void>,
): Promise<void> {
  const [saved, unfinished] = [savedPath(path), unfinishedPath(path)];
  const current = await fingerprintOf(path, tree);
  const isOurs = current !== undefined && ours !== "any" && ours.includes(current);
  // Of a program's own file only the very first one is kept: whatever came after it is ours as well.
  const isKept = ours === "any" && await tree.look(saved) !== undefined;
  if (!isOurs && !isKept) {
    await tree.remove(saved);
    if (existed) await tree.addName(path, saved);
    // Before ours takes its place, or a power cut could leave neither.
    await tree.sync(dirname(path));
  }
  await tree.remove(unfinished);
  await make(unfinished);
  await tree.rename(unfinished, path);
  await tree.sync(dirname(path));
}

/** Runs a command that has to succeed. @throws {InstallError} with what it said */
export async function runToEnd(
  { command, input }: Command,
  { runProgram }: Pick<StepWorld, "runProgram">,
): Promise<ProgramResult> {
  const result = await runProgram(command, input === undefined ? {} : { input });
  if (result.code === 0) return result;
  const said = (result.stderr || result.stdout).trim();
  throw new InstallError(
    "STEP_FAILED",
    `Run "${command.join(" ")}": exit code ${result.code}${said && `: ${said}`}`,
  );
}

async function ownershipOf(
  { mode, group }: { mode: number; group?: string },
  tree: FileTree,
): Promise<Ownership> {
  if (group === undefined) return { mode };
  const gid = await gidOf(group, tree);
  // Nobody but root may read it until the group is there: the step is not in force, and comes again.
  return gid === undefined ? { mode: mode & 0o700 } : { mode, gid };
}

async function gidOf(group: string, tree: FileTree): Promise<number | undefined> {
  const text = new TextDecoder().decode(await tree.readBytes("/etc/group"));
  const line = text.split("\n").map((line) => line.split(":")).find(([name]) => name === group);
  return line === undefined ? undefined : Number(line[2]);
}

function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}
