/**
 * The kinds of steps that change a VM, and their inverses, as data: a plan is a list of the ones, a journal
 * of the others. Pure; `step_actions.ts` carries them out.
 *
 * @module
 */

/** A file of root's, replaced as a whole. */
export interface WriteFile {
  /** Which kind. */
  kind: "write file";
  /** Where. */
  path: string;
  /** What it holds. */
  text: string;
  /** Permission bits. */
  mode: number;
  /** Root's unless given. */
  group?: string;
  /** Whether the file stays the same one, since it is a mount and cannot be replaced. */
  inPlace?: boolean;
  /**
   * For a resolv.conf: the nameserver that is ours. Where another program wrote the file meanwhile, and
   * left our line in, that line becomes the nameservers of before.
   */
  nameserver?: string;
}

/** A symbolic link, in the place of whatever is there. */
export interface MakeLink {
  /** Which kind. */
  kind: "make link";
  /** Where. */
  path: string;
  /** Where it leads, as it is written. */
  target: string;
}

/** A program's own file, in the place of an older one. Removed again whoever replaced it since. */
export interface CopyFile {
  /** Which kind. */
  kind: "copy file";
  /** The original. */
  from: string;
  /** Where. */
  path: string;
  /** Permission bits. */
  mode: number;
}

/** A folder; one that is there stays as it is. */
export interface MakeDirectory {
  /** Which kind. */
  kind: "make directory";
  /** Where. */
  path: string;
  /** Permission bits. */
  mode: number;
  /** Root's unless given. */
  group?: string;
}

/** A folder that another program makes for us, and that goes with us. */
export interface OwnTree {
  /** Which kind. */
  kind: "own tree";
  /** Where. */
  path: string;
}

/** A command line, with what it reads. */
export interface Command {
  /** The program and its arguments. */
  command: readonly string[];
  /** Its standard input. */
  input?: string;
  /** A command that fails where there is nothing to do, as early in a boot; for the way down. */
  onlyIf?: readonly string[];
}

/** A program that is run. */
export interface RunCommand {
  /** Which kind. */
  kind: "run";
  /** Nothing is run on the way up unless given. */
  up?: Command;
  /** Nothing is run on the way down unless given. */
  down?: Command;
  /** A command that succeeds where there is nothing to do. */
  unless?: readonly string[];
  /** Run only where a step before it changed something. */
  afterChange?: boolean;
}

/** Waits until the agent is ready and answers. */
export interface AwaitServing {
  /** Which kind. */
  kind: "await serving";
}

/** Does nothing; on the way down the capture is undone, by its own journal. */
export interface ReleaseCapture {
  /** Which kind. */
  kind: "release capture";
}

/** One step of a plan. */
export type Step =
  & (
    | WriteFile
    | MakeLink
    | CopyFile
    | MakeDirectory
    | OwnTree
    | RunCommand
    | AwaitServing
    | ReleaseCapture
  )
  & {
    /** What it is for, for people: a part of a sentence. */
    why: string;
    /** Whether its inverse waits for `--purge`. */
    onlyPurge?: boolean;
  };

/** Gives a file or link back as it was before ours. */
export interface RestoreFile {
  /** Which kind. */
  kind: "restore file";
  /** Where. */
  path: string;
  /** Whether there was one before ours: then it lies at {@link savedPath}. */
  existed: boolean;
  /** {@link fingerprintOf} of what was ever written there by us; `any`: whatever is there is ours. */
  ours: string[] | "any";
  /** Ours; see {@link WriteFile}. */
  nameserver?: string;
}

/** Gives a file its content back, by the same inode. */
export interface RestoreContent {
  /** Which kind. */
  kind: "restore content";
  /** Where. */
  path: string;
  /** What it held before. */
  before: string;
  /** What was ever written there by us. */
  ours: string[];
  /** Ours; see {@link WriteFile}. */
  nameserver?: string;
}

/** Removes a folder, if it is empty. */
export interface RemoveDirectory {
  /** Which kind. */
  kind: "remove directory";
  /** Where. */
  path: string;
}

/** Removes a folder with what it holds. */
export interface RemoveTree {
  /** Which kind. */
  kind: "remove tree";
  /** Where. */
  path: string;
}

/** Runs a command. */
export interface RunInverse extends Command {
  /** Which kind. */
  kind: "run";
}

/** What undoes a step. Each may be carried out again after it was interrupted anywhere. */
export type Inverse =
  | RestoreFile
  | RestoreContent
  | RemoveDirectory
  | RemoveTree
  | RunInverse
  | ReleaseCapture;

/** Where what lay at a path waits for being given back: beside it, so that relative links still lead on. */
export function savedPath(path: string): string {
  return `${path}.before-outrigger`;
}

/** What is being made for a path, until it takes its place. */
export function unfinishedPath(path: string): string {
  return `${path}.outrigger-new`;
}

/** What a step is about: of the steps with the same key only the first one's inverse is needed. */
export function keyOf(step: Step): string {
  if (step.kind === "run") return JSON.stringify(["run", step.up, step.down]);
  if (step.kind === "await serving" || step.kind === "release capture") return step.kind;
  return step.path;
}

/** A step in a line, for people. */
export function describeStep(step: Step): string {
  switch (step.kind) {
    case "write file":
      return `${step.inPlace ? "write into" : "write"} ${step.path} (${ownership(step)})`;
    case "make link":
      return `link ${step.path} to ${step.target}`;
    case "copy file":
      return `copy ${step.from} to ${step.path} (${ownership(step)})`;
    case "make directory":
      return `make the folder ${step.path} (${ownership(step)}), unless it is there`;
    case "own tree":
      return `let the service make ${step.path}`;
    case "run":
      return step.up === undefined ? "nothing now" : `run ${step.up.command.join(" ")}`;
    case "await serving":
      return "wait until the agent is ready and answers a query";
    case "release capture":
      return "nothing now";
  }
}

/** A step's inverse in a line, for people. */
export function describeInverse(step: Step): string {
  const later = step.onlyPurge ? "with --purge: " : "";
  switch (step.kind) {
    case "write file":
      return step.inPlace
        ? `write back what it held, unless another program wrote it since`
        : `put back what was there (kept as ${savedPath(step.path)}), or remove it; ` +
          "what another program wrote since stays";
    case "make link":
      return `put back what was there (kept as ${savedPath(step.path)}), or remove it`;
    case "copy file":
      return `put back what was there, or remove it`;
    case "make directory":
      return `${later}remove it if this made it and it is empty`;
    case "own tree":
      return `${later}remove it`;
    case "run":
      return step.down === undefined ? "none needed" : `${later}run ${step.down.command.join(" ")}`;
    case "await serving":
      return "none needed";
    case "release capture":
      return "give the machine its own DNS back (outrigger capture down)";
  }
}

function ownership({ mode, group = "root" }: { mode: number; group?: string }): string {
  return `root:${group} ${mode.toString(8).padStart(4, "0")}`;
}

/** Whether a step changes nothing on the way up, and is only written down. */
export function isQuiet(step: Step): boolean {
  return step.kind === "own tree" || step.kind === "release capture" ||
    step.kind === "run" && step.up === undefined;
}
