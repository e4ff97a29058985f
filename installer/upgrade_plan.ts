/**
 * What an upgrade changes on this machine, and the script that puts it back without any of our programs:
 * the new one may be what is broken. Pure.
 *
 * @module
 */
import { dirname } from "node:path";
import { z } from "zod";
import { BINARY } from "./install_plan.ts";
import { folderStep } from "./plan.ts";
import { type Step, unfinishedPath } from "./steps.ts";

/** The program of before an upgrade: it stays, for whoever wants to go back later. */
export const PREVIOUS_BINARY = `${BINARY}.previous`;
/** Where an upgrade that is under way is written down. */
export const UPGRADE_FOLDER = "/var/lib/outrigger-upgrade";
/** The script that takes it back; there while the upgrade is not confirmed, and for no longer. */
export const ROLLBACK_SCRIPT = `${UPGRADE_FOLDER}/rollback`;
/**
 * No limit of starts while an upgrade looks after the new version: at the limit, which a crash reaches in half
 * a second, systemd closes the sockets (5,945 of 28,000 queries lost, systemd 257).
 */
export const UPGRADE_DROP_IN = "/run/systemd/system/outrigger.service.d/upgrade.conf";
/** Who is killed while the new version seems to be well is taken back so long after. */
export const UPGRADE_DEADLINE_SECONDS = 60;
/** Locked by an upgrade for as long as it looks after the new program itself. */
export const UPGRADE_LOCK: string = dirname(BINARY);

/** A file that a version wants to have on a machine: root's, and all may read it. */
export interface ReleaseFile {
  /** Where it belongs. */
  path: string;
  /** What it holds. */
  text: string;
  /** Permission bits: 0o644, or 0o755. */
  mode: number;
  /** The first version of systemd that knows all that is in it; any unless given. */
  sinceSystemd?: number | undefined;
  /** Whether it is left out on a machine that does not have it. */
  onlyIfThere?: boolean | undefined;
}

/** What a version wants to have on a machine, beside itself: what its `units` command prints. */
export interface ReleaseFiles {
  /** Files. */
  files: ReleaseFile[];
  /** What `systemctl enable` is given. */
  enabled: string[];
}

/** Ours by its name, and written into a shell script as it is: nothing else is replaced. */
const PATH =
  /^\/(etc\/(systemd\/system|sysusers\.d|tmpfiles\.d)\/outrigger|usr\/local\/lib\/outrigger\/)[\w./-]*$/;
const releaseFiles: z.ZodType<ReleaseFiles> = z.object({
  files: z.array(z.object({
    path: z.string().regex(PATH).refine((path) => !path.includes("..")),
    text: z.string(),
    mode: z.literal([0o644, 0o755]),
    sinceSystemd: z.number().optional(),
    onlyIfThere: z.boolean().optional(),
  })),
  enabled: z.array(z.string().regex(/^outrigger[\w.-]*$/)),
});

/** Reads it, as that version's `units` printed it. @throws when it is none, or names a file of others */
export function parseReleaseFiles(text: string): ReleaseFiles {
  return releaseFiles.parse(JSON.parse(text));
}

/** A file that an upgrade replaces or adds. */
export interface ChangedFile {
  /** Where. */
  path: string;
  /** What it is to hold. */
  text: string;
  /** Permission bits. */
  mode: number;
  /** What it holds; undefined where there is none. */
  before: string | undefined;
}

/** Everything that an upgrade changes beside the program. */
export interface UpgradeChanges {
  /** Files. */
  files: ChangedFile[];
  /** Units that are enabled, and were not. */
  enabled: string[];
  /** Whether sockets have to be closed and opened: what is asked meanwhile is lost. */
  changesSockets: boolean;
}

/** Compares what a version wants with what is there. */
export function planChanges(
  { files, enabled }: ReleaseFiles,
  { systemdVersion, present, isEnabled }: {
    /** Of the machine. */
    systemdVersion: number;
    /** The files that are there. */
    present: ReadonlyMap<string, string>;
    /** The units that are enabled. */
    isEnabled: ReadonlySet<string>;
  },
): UpgradeChanges {
  const changed = files
    .filter(({ sinceSystemd = 0 }) => sinceSystemd <= systemdVersion)
    .filter(({ path, onlyIfThere = false }) => !onlyIfThere || present.has(path))
    .filter(({ path, text }) => present.get(path) !== text)
    .map(({ path, text, mode }) => ({ path, text, mode, before: present.get(path) }));
  return {
    files: changed,
    enabled: enabled.filter((unit) => !isEnabled.has(unit)),
    changesSockets: changed.some(({ path }) => path.includes(".socket")),
  };
}

/** The steps of the changes, for the journal of the installation: an uninstall undoes them too. */
export function changeSteps({ files }: UpgradeChanges): Step[] {
  const why = "the new version brings it along";
  return [
    { kind: "own tree", path: PREVIOUS_BINARY, why: "the program of before the upgrade" },
    { kind: "own tree", path: UPGRADE_FOLDER, why: "the upgrade that is under way" },
    ...files.flatMap(({ path, text, mode }): Step[] => [
      folderStep(path.slice(0, path.lastIndexOf("/")), why),
      { kind: "write file", path, text, mode, why },
    ]),
  ];
}

/**
 * The script. Each part looks how things are, so that it may be interrupted and run again; it removes
 * itself at last. It restarts nothing: who runs it does, or is a start.
 */
export function rollbackScript(
  { files, enabled }: UpgradeChanges,
  { from, to }: { from: string; to: string },
): string {
  const folders = [UPGRADE_LOCK, ...files.map(({ path }) => path.slice(0, path.lastIndexOf("/")))];
  const made = unfinishedPath(BINARY);
  return [
    "#!/bin/sh",
    "# Takes back an upgrade of outrigger that was not confirmed.",
    "failed=0",
    `echo 'outrigger: the upgrade to ${to} was not confirmed: back to ${from}'`,
    `rm -f ${made}`,
    // Of two names of one file mv makes an error.
    `if ! [ ${PREVIOUS_BINARY} -ef ${BINARY} ]; then`,
    `  ln ${PREVIOUS_BINARY} ${made} && mv -f ${made} ${BINARY} || failed=1`,
    "fi",
    ...enabled.map((unit) => `systemctl disable ${unit} || :`),
    ...files.flatMap(({ path, mode, before }) => {
      if (before === undefined) return [`rm -f ${path} || failed=1`];
      const unfinished = unfinishedPath(path);
      return [
        `printf %s ${base64(before)} | base64 -d > ${unfinished} &&`,
        `  chmod ${mode.toString(8)} ${unfinished} && mv -f ${unfinished} ${path} || failed=1`,
      ];
    }),
    // What is put back is on the disk before what says that it has to be.
    `sync ${[...new Set(folders)].join(" ")} 2>/dev/null || sync`,
    `rm -f ${UPGRADE_DROP_IN}; rmdir ${dirname(UPGRADE_DROP_IN)} 2>/dev/null`,
    "systemctl daemon-reload || failed=1",
    `[ $failed = 1 ] || { rm -f ${ROLLBACK_SCRIPT}; rmdir ${UPGRADE_FOLDER} 2>/dev/null; }`,
    "exit $failed",
    "",
  ].join("\n");
}

/** The versions that a rollback script is for; `unknown` where another version wrote it in other words. */
export function parseRollbackScript(text: string): { from: string; to: string } {
  const [, to = "unknown", from = "unknown"] =
    /the upgrade to (\S+) was not confirmed: back to ([^\s']+)/.exec(text) ?? [];
  return { from, to };
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
