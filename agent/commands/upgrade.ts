/**
 * `outrigger upgrade`.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isVersion } from "../downloads.ts";
import { messageOf } from "../system/agent_error.ts";
import { InstallError } from "../../installer/errors.ts";
import { BINARY } from "../../installer/install_plan.ts";
import { findLayout } from "../../installer/probe.ts";
import { Upgrade } from "../../installer/upgrade.ts";
import {
  parseReleaseFiles,
  planChanges,
  PREVIOUS_BINARY,
  type ReleaseFiles,
  type UpgradeChanges,
} from "../../installer/upgrade_plan.ts";
import type { CommandContext } from "./command_context.ts";
import { ExitCode } from "./exit_codes.ts";
import { MINIMAL, refuseUnlessRoot } from "./install.ts";
import { serviceConfig } from "./machine.ts";
import { findFault, lookBefore } from "./upgrade_check.ts";
import { readSource, type UpgradeSource } from "./upgrade_source.ts";

/** The flags of `upgrade`. */
export interface UpgradeFlags extends UpgradeSource {
  /** Only shows what would be done. */
  dryRun?: boolean;
  /** For machines. */
  json?: boolean;
}

/** What is printed for machines. */
interface UpgradeReport {
  outcome: "planned" | "unchanged" | "upgraded" | "rolled back";
  from: string;
  to: string;
  /** Files beside the program. */
  files: string[];
  /** Whether no query is lost. */
  lossless: boolean;
  /** Why it was taken back. */
  fault?: string;
}

/** The program is tried by somebody who can do nothing. */
const UNPRIVILEGED = [
  ...["timeout", "20", "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
  ...["--no-new-privs", "env", "-i", "TMPDIR=/nonexistent"],
];

/** Swaps the program, and goes back where the new one does not do what the old one did. */
export async function upgrade(flags: UpgradeFlags, context: CommandContext): Promise<number> {
  await refuseUnlessRoot(context);
  await refusePackages(context);
  const { tree } = context.machine();
  const config = await serviceConfig(context).catch(() => serviceConfig(context, MINIMAL));
  if (await tree.look(BINARY) === undefined) {
    throw new InstallError(
      "UPGRADE_REFUSED",
      `There is no ${BINARY} to upgrade: outrigger is not installed on this machine (outrigger install).`,
    );
  }
  const say = (text: string) => void (flags.json || context.print(`${text}\n`));
  const work = new Upgrade(context.machine());
  return await work.exclusively(async () => {
    if (!flags.dryRun && await work.recover()) {
      say("An upgrade before this one was interrupted: it was taken back.");
    }
    const { bytes, sha256 } = await readSource(flags, config, context);
    const installed = createHash("sha256").update(await tree.readBytes(BINARY)).digest("hex");
    const from = await versionOf(BINARY, context).catch(() => "unknown");
    if (sha256 === installed) {
      return end({ outcome: "unchanged", from, to: from, files: [], lossless: true });
    }
    try {
      const path = await stage(bytes);
      const to = await versionOf(path, context);
      if (isVersion(flags.what) && flags.what !== to) {
        throw new InstallError(
          "UPGRADE_REFUSED",
          `What was downloaded is version ${to}, and not ${flags.what}: a control plane hands out one ` +
            "version. Ask for that one, or name a mirror with --from. Nothing was changed.",
        );
      }
      const changes = await changesOf(path, context);
      const summary = {
        ...{ from, to, files: changes.files.map(({ path }) => path) },
        lossless: !changes.changesSockets,
      };
      if (changes.changesSockets) {
        say(
          "note: the sockets change: they are closed and opened, and what is asked meanwhile is lost.",
        );
      }
      if (flags.dryRun) return end({ outcome: "planned", ...summary });
      say(`Upgrading outrigger ${from} to ${to}:`);
      const fault = await swap({ from, to, changes });
      if (fault === undefined) return end({ outcome: "upgraded", ...summary });
      return end({ outcome: "rolled back", ...summary, fault });
    } finally {
      await work.unstage();
    }
  });

  async function stage(bytes: Uint8Array): Promise<string> {
    try {
      return await work.stage(bytes);
    } catch (cause) {
      throw new InstallError(
        "UPGRADE_REFUSED",
        `Write the new program beside ${BINARY}: ${messageOf(cause)}. Nothing was changed.`,
        { cause },
      );
    }
  }

  /** @returns why it was taken back; undefined where it was not */
  async function swap(
    { from, to, changes }: { from: string; to: string; changes: UpgradeChanges },
  ): Promise<string | undefined> {
    const onStep = (what: string) => say(`  ${what}`);
    const before = await lookBefore(config, context);
    let fault: string | undefined;
    try {
      await work.swap(changes, { from, to, onStep });
      if (before.isActive) {
        onStep("restart the service, and see that it answers");
        fault = await findFault(work, { before, version: to, changes, config, context });
      } else onStep("the service does not run: nothing to restart, and nothing to see");
    } catch (error) {
      fault = messageOf(error);
    }
    if (fault === undefined) {
      onStep("confirm it");
      await work.confirm();
      return;
    }
    onStep(`go back to ${from}: ${fault}`);
    await work.rollBack({ changesSockets: changes.changesSockets, isBroken: before.isActive });
    return fault;
  }

  function end(report: UpgradeReport): number {
    const { outcome, from, to, files, lossless, fault } = report;
    if (flags.json) context.print(`${JSON.stringify(report, null, 2)}\n`);
    switch (outcome) {
      case "unchanged":
        say(`Nothing to do: ${BINARY} is this very program, version ${to}.`);
        return ExitCode.OK;
      case "planned":
        say(
          `Would upgrade outrigger ${from} to ${to}, ${
            lossless ? "losing no query" : "losing what is asked while the sockets are closed"
          }.`,
        );
        for (const path of [BINARY, ...files]) say(`  write ${path}`);
        say("Nothing was changed (--dry-run).");
        return ExitCode.OK;
      case "upgraded":
        say(`outrigger ${to} runs. To go back: outrigger upgrade ${PREVIOUS_BINARY}`);
        return ExitCode.OK;
      case "rolled back":
        if (flags.json) return ExitCode.FAILURE;
        throw new InstallError(
          "ROLLED_BACK",
          `outrigger ${to} did not do what ${from} does (${fault}), and ${from} runs again. ` +
            "See journalctl -u outrigger.",
        );
    }
  }
}

/** A package's files are its package manager's. */
async function refusePackages(context: CommandContext): Promise<void> {
  const { tree, runProgram } = context.machine();
  if (!(await findLayout(tree)).isPackage) return;
  const isDeb = (await runProgram(["dpkg-query", "--show", "outrigger"])).code === 0;
  const command = isDeb
    ? "apt install ./outrigger_VERSION_ARCH.deb"
    : "dnf install ./outrigger-VERSION-1.ARCH.rpm";
  throw new InstallError(
    "UPGRADE_REFUSED",
    `A package brought outrigger to this machine: upgrade that, with \`${command}\`.`,
  );
}

/** What a program says of itself. @throws {InstallError} when it does not run */
async function versionOf(path: string, context: CommandContext): Promise<string> {
  const { code, stdout, stderr } = await runAs(path, ["version", "--json"], context);
  try {
    const { version } = JSON.parse(stdout);
    if (code === 0 && typeof version === "string" && /^[\w.+-]{1,64}$/.test(version)) {
      return version;
    }
  } catch {
    // Told below.
  }
  throw new InstallError(
    "UPGRADE_REFUSED",
    `The new program does not run on this machine: exit code ${code}: ` +
      `${(stderr || stdout).trim().slice(0, 500)}. Nothing was changed.`,
  );
}

/** What the new version wants to have beside itself; a version that does not say changes nothing. */
async function changesOf(path: string, context: CommandContext): Promise<UpgradeChanges> {
  const { tree, runProgram } = context.machine();
  const { code, stdout } = await runAs(path, ["units"], context);
  let wanted: ReleaseFiles = { files: [], enabled: [] };
  if (code === 0) {
    try {
      wanted = parseReleaseFiles(stdout);
    } catch (cause) {
      throw new InstallError(
        "UPGRADE_REFUSED",
        `The new program names files that this one cannot install: ${messageOf(cause)}`,
        { cause },
      );
    }
  }
  const present = new Map<string, string>();
  for (const { path } of wanted.files) {
    if (await tree.look(path) === undefined) continue;
    present.set(path, new TextDecoder().decode(await tree.readBytes(path)));
  }
  // A machine without our units has a service of its own making, or none.
  if (!present.has("/etc/systemd/system/outrigger.service")) wanted = { files: [], enabled: [] };
  const isEnabled = new Set<string>();
  for (const unit of wanted.enabled) {
    const { code } = await runProgram(["systemctl", "is-enabled", "--quiet", unit]);
    if (code === 0) isEnabled.add(unit);
  }
  const [, version] = /^systemd (\d+)/.exec(
    (await runProgram(["systemctl", "--version"])).stdout,
  ) ?? [];
  return planChanges(wanted, { systemdVersion: Number(version ?? 0), present, isEnabled });
}

function runAs(path: string, args: readonly string[], context: CommandContext) {
  return context.machine().runProgram([...UNPRIVILEGED, path, ...args]);
}
