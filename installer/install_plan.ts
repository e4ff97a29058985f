/**
 * What `outrigger install` does to a VM. Pure.
 *
 * @module
 */
import { dirname } from "node:path";
import { type Layout, OWN_LAYOUT } from "../systemd/layout.ts";
import { type CaptureMode, portTaken } from "./capture_plan.ts";
import { otherListener, type VmFacts } from "./facts.ts";
import { CAPTURE_JOURNAL } from "./journal.ts";
import { folderStep, type Plan } from "./plan.ts";
import type { Command, Step } from "./steps.ts";
import { releaseProgram } from "./undo_script.ts";

/** Where the program belongs that no package brought. */
export const BINARY: string = OWN_LAYOUT.program;
/** The folder of the configuration. */
export const CONFIG_FOLDER = "/etc/outrigger";
/** The agent's user, and its group. */
export const AGENT_USER = "outrigger";
/** The first version of systemd that this was made for. */
export const OLDEST_SYSTEMD = 245;

/** A file for systemd. */
export interface UnitText {
  /** Where it belongs. */
  path: string;
  /** What it holds. */
  text: string;
  /** The first version of systemd that knows all that is in it; any unless given. */
  sinceSystemd?: number;
}

/** A file of the configuration, for root and the agent. */
export interface ConfigFile {
  /** Below {@link CONFIG_FOLDER}. */
  path: string;
  /** What it holds. */
  text: string;
}

/** What is installed. */
export interface InstallOptions {
  /** The program to copy to its place; undefined where it is there already. */
  program: string | undefined;
  /** The configuration; none where the one that is there is to be used. */
  configFiles: readonly ConfigFile[];
  /** Units, users and folders, as systemd reads them; what lies below /usr a package has brought. */
  units: readonly UnitText[];
  /** The drop-in that makes the agent serve on port 53; undefined where nothing needs it. */
  port53Unit: UnitText | undefined;
  /** The drop-in that makes the agent serve containers; undefined where none are captured. */
  containersUnit?: UnitText;
  /** What `systemctl enable` is given. */
  enabledUnits: readonly string[];
  /** How lookups are sent to the agent. */
  capture: CaptureMode;
  /** The agent's own port. */
  port: number;
}

/** The facts that an installation depends on. */
export type InstallFacts = Pick<
  VmFacts,
  "isRoot" | "systemdVersion" | "etcReadOnly" | "layout" | "listeners"
>;

/** Makes the plan. */
export function planInstall(facts: InstallFacts, options: InstallOptions): Plan {
  const { systemdVersion, isRoot, etcReadOnly, layout } = facts;
  const refusals: string[] = [];
  if (!isRoot) {
    refusals.push("Only root can install a service: run it again with sudo.");
  }
  if (layout.isPackage && options.program !== undefined) {
    refusals.push(
      `A package brought outrigger to this machine: run ${layout.program} install, with the same ` +
        "options. For another version, upgrade the package; to do without it, remove it first.",
    );
  }
  if (systemdVersion === undefined) {
    refusals.push(
      "systemd is not process 1 here (in a container, or another init): run the agent by your own " +
        "means with `outrigger run`.",
    );
  } else if (systemdVersion < OLDEST_SYSTEMD) {
    refusals.push(`systemd ${systemdVersion} is too old: ${OLDEST_SYSTEMD} or later is needed.`);
  }
  if (etcReadOnly) {
    refusals.push(
      "/etc is read-only: units and configuration cannot be put there. On an image-based system, put " +
        "them into the image.",
    );
  }
  const taken = otherListener(facts, { address: "127.0.0.1", port: options.port });
  if (taken !== undefined) refusals.push(portTaken(taken.program, options.port));
  return {
    steps: installSteps({ layout, systemdVersion: systemdVersion ?? OLDEST_SYSTEMD }, options),
    trace: [],
    refusals,
    warnings: [],
  };
}

function installSteps(
  { layout, systemdVersion }: { layout: Layout; systemdVersion: number },
  options: InstallOptions,
): Step[] {
  const { program, port53Unit, containersUnit, configFiles, enabledUnits, capture } = options;
  const { isPackage } = layout;
  const units = [...options.units, port53Unit, containersUnit]
    .filter((unit) => unit !== undefined)
    .filter(({ sinceSystemd = 0 }) => sinceSystemd <= systemdVersion);
  // What lies below /usr a package has brought.
  const written = units.filter(({ path }) => path.startsWith("/etc/"));
  const isBefore = ({ path }: UnitText) => !path.startsWith("/etc/systemd/system/");
  const [first, rest] = [written.filter(isBefore), written.filter((unit) => !isBefore(unit))];
  const all = unitNames(units);
  // The others act at a boot, or are wanted by these.
  const started = enabledUnits.filter((unit) => all.includes(unit));
  const deleteUser: Command = {
    command: ["userdel", AGENT_USER],
    onlyIf: ["getent", "passwd", AGENT_USER],
  };
  return [
    run({ down: ["systemctl", "daemon-reload"], why: "systemd forgets the units at the end" }),
    ...program === undefined ? [] : [{
      kind: "copy file" as const,
      from: program,
      path: layout.program,
      mode: 0o755,
      why: "the units call it there",
    }],
    ...withFolders(first),
    ...isPackage
      ? [run({ down: deleteUser, onlyPurge: true, why: "the package has made the user" })]
      : [],
    run({
      up: ["systemd-sysusers", layout.sysusers],
      ...(!isPackage && { down: deleteUser, onlyPurge: true }),
      unless: ["getent", "passwd", AGENT_USER],
      why: `the agent runs as ${AGENT_USER}, which can do nothing else`,
    }),
    {
      kind: "make directory",
      path: CONFIG_FOLDER,
      mode: 0o750,
      group: AGENT_USER,
      onlyPurge: isPackage,
      why: "for the configuration, which may hold a token",
    },
    ...configFolders(configFiles).map((path): Step => ({
      kind: "make directory",
      path,
      mode: 0o750,
      group: AGENT_USER,
      onlyPurge: isPackage,
      why: "for the configuration",
    })),
    ...configFiles.map(({ path, text }): Step => ({
      kind: "write file",
      path,
      text,
      mode: 0o640,
      group: AGENT_USER,
      onlyPurge: isPackage,
      why: "the configuration",
    })),
    {
      kind: "own tree",
      path: "/var/lib/outrigger",
      onlyPurge: true,
      why: "key, certificate and last name table",
    },
    { kind: "own tree", path: "/run/outrigger", why: "where the agent asks for the capture" },
    run({
      up: ["systemd-tmpfiles", "--create", layout.tmpfiles],
      afterChange: true,
      why: "the folder under /run, as at each boot",
    }),
    ...isPackage ? [] : [
      folderStep(dirname(layout.release), "for the script"),
      {
        kind: "write file" as const,
        path: layout.release,
        text: releaseProgram(CAPTURE_JOURNAL),
        mode: 0o755,
        why: "gives the machine its own DNS back where the program is what is broken",
      },
    ],
    ...withFolders(rest),
    run({
      up: ["systemctl", "daemon-reload"],
      afterChange: true,
      why: "systemd reads the units",
    }),
    run({
      up: ["systemctl", "enable", ...enabledUnits],
      down: ["systemctl", "disable", ...enabledUnits],
      unless: ["systemctl", "is-enabled", "--quiet", ...enabledUnits],
      why: "it starts with the machine",
    }),
    { kind: "release capture", why: "before it goes, the machine has its own DNS back" },
    run({
      up: ["systemctl", "stop", ...all],
      afterChange: true,
      why: "a service that runs is started with what is new",
    }),
    run({
      up: ["systemctl", "start", ...started],
      down: ["systemctl", "stop", ...all],
      unless: ["systemctl", "is-active", "--quiet", "outrigger.service"],
      why: "the agent runs, with sockets that systemd holds",
    }),
    { kind: "await serving", why: "nothing is sent to an agent that does not answer" },
    ...capture === "none" ? [] : [run({
      up: [layout.program, "capture", "up"],
      unless: [layout.program, "capture", "status"],
      why: "the machine's lookups go to the agent (its own plan below)",
    })],
  ];
}

function run(
  { up, down, ...rest }: {
    up?: readonly string[];
    down?: readonly string[] | Command;
    unless?: readonly string[];
    afterChange?: boolean;
    onlyPurge?: boolean;
    why: string;
  },
): Step {
  const command = (given: readonly string[] | Command): Command =>
    "command" in given ? given : { command: given };
  return {
    kind: "run",
    ...(up && { up: command(up) }),
    ...(down && { down: command(down) }),
    ...rest,
  };
}

/** Each file, its folder before it. */
function withFolders(units: readonly UnitText[]): Step[] {
  return units.flatMap(({ path, text }): Step[] => [
    folderStep(path.slice(0, path.lastIndexOf("/")), "for what is put there next"),
    { kind: "write file", path, text, mode: 0o644, why: purposeOf(text) },
  ]).filter((step, index, steps) =>
    step.kind !== "make directory" ||
    steps.findIndex((other) => other.kind === step.kind && other.path === step.path) === index
  );
}

/** What a file for systemd says that it is for. */
function purposeOf(text: string): string {
  const [, description] = /^Description=(.*)$/m.exec(text) ?? [];
  return description ?? /^# (.*?)[.:]?$/m.exec(text)?.[1] ?? "for systemd";
}

function configFolders(files: readonly ConfigFile[]): string[] {
  const folders = files.map(({ path }) => path.slice(0, path.lastIndexOf("/")));
  return [...new Set(folders)].filter((path) => path !== CONFIG_FOLDER);
}

/** The units themselves, those first that would start others again. */
function unitNames(units: readonly UnitText[]): string[] {
  const order = ["timer", "path", "service", "socket"];
  return units.flatMap(({ path }) => /\/systemd\/system\/([^/]+)$/.exec(path)?.[1] ?? [])
    // Those that act for a moment end by themselves: a stop would wait for their pauses.
    .filter((name) =>
      !/^outrigger-(capture|recapture|release|retry|leftovers)\.service$/.test(name)
    )
    .sort((a, b) => order.indexOf(a.split(".")[1]) - order.indexOf(b.split(".")[1]));
}
