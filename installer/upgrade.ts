/**
 * Swaps the program, so that whatever interrupts it the machine has one that works: before anything is
 * changed, a script that takes it back is on the disk, and the next start of the service, or boot, runs it
 * unless an upgrade holds the lock and so looks after the new program itself.
 *
 * @module
 */
import { dirname } from "node:path";
import { InstallError } from "./errors.ts";
import { BINARY } from "./install_plan.ts";
import { INSTALL_JOURNAL, Journal } from "./journal.ts";
import { runToEnd, type StepWorld } from "./step_actions.ts";
import { unfinishedPath } from "./steps.ts";
import {
  changeSteps,
  PREVIOUS_BINARY,
  ROLLBACK_SCRIPT,
  rollbackScript,
  UPGRADE_DEADLINE_SECONDS,
  UPGRADE_DROP_IN,
  UPGRADE_FOLDER,
  UPGRADE_LOCK,
  type UpgradeChanges,
} from "./upgrade_plan.ts";

/** The service. */
export const SERVICE = "outrigger.service";
const SOCKETS = ["outrigger.socket", "outrigger-ipv6.socket"];
/** Takes an upgrade back whose upgrader was killed while the new program seems to be well. */
const DEADLINE_UNIT = "outrigger-upgrade-deadline";

/** What an upgrade touches. */
export type UpgradeWorld = Pick<StepWorld, "tree" | "runProgram">;

/** One upgrade of one machine. */
export class Upgrade {
  readonly #world: UpgradeWorld;

  /** Wires the parts; nothing is touched yet. */
  constructor(world: UpgradeWorld) {
    this.#world = world;
  }

  /** Acts while nobody else upgrades or installs. While it does, no start takes an upgrade back. */
  exclusively<T>(act: () => Promise<T>): Promise<T> {
    const { tree } = this.#world;
    return tree.exclusively("/var/lib", () => tree.exclusively(UPGRADE_LOCK, act));
  }

  /** Takes back an upgrade that was interrupted. @returns whether there was one */
  async recover(): Promise<boolean> {
    if (await this.#world.tree.look(ROLLBACK_SCRIPT) === undefined) return false;
    await this.rollBack({ changesSockets: false, isBroken: false });
    return true;
  }

  /** Puts a program beside the one that is in use, durably. @returns where */
  async stage(program: Uint8Array): Promise<string> {
    const { tree } = this.#world;
    const path = unfinishedPath(BINARY);
    await tree.remove(path);
    await tree.create(path, program, { mode: 0o755 });
    return path;
  }

  /** Removes what {@link stage} made. */
  async unstage(): Promise<void> {
    await this.#world.tree.remove(unfinishedPath(BINARY));
  }

  /**
   * Puts what was staged in the place of the program, and the files of its version in theirs.
   *
   * @param onStep is told of each step before it is taken
   * @throws {InstallError} when a step fails; then {@link rollBack} is due
   */
  async swap(
    changes: UpgradeChanges,
    { from, to, onStep }: { from: string; to: string; onStep: (what: string) => void },
  ): Promise<void> {
    const { tree, runProgram } = this.#world;
    const journal = await Journal.read(INSTALL_JOURNAL, {
      ...this.#world,
      awaitServing: () => Promise.resolve(),
      releaseCapture: () => Promise.resolve(),
    });
    onStep(`keep ${from} as ${PREVIOUS_BINARY}`);
    const kept = unfinishedPath(PREVIOUS_BINARY);
    await tree.remove(kept);
    await tree.addName(BINARY, kept);
    // Of two names of one file the second would stay (POSIX).
    await tree.remove(PREVIOUS_BINARY);
    await tree.rename(kept, PREVIOUS_BINARY);
    await tree.sync(UPGRADE_LOCK);
    onStep("write down how to go back, for the next start or boot");
    await this.#writeScript(rollbackScript(changes, { from, to }));
    onStep(`go back in ${UPGRADE_DEADLINE_SECONDS} s unless it is confirmed`);
    await this.#armDeadline();
    if (!journal.isEmpty) {
      const steps = changeSteps(changes);
      for (const { path } of changes.files) onStep(`write ${path}`);
      await journal.apply(steps);
    }
    onStep(`put ${to} in the place of ${BINARY}`);
    await tree.rename(unfinishedPath(BINARY), BINARY);
    await tree.sync(UPGRADE_LOCK);
    await this.#liftLimit();
    for (const command of commandsAfter(changes)) {
      onStep(command.join(" "));
      await runToEnd({ command }, { runProgram });
    }
  }

  /**
   * Starts the service with what lies there now; queries wait in the sockets meanwhile.
   *
   * @returns why it did not start, undefined where it did
   */
  async restart({ changesSockets }: Pick<UpgradeChanges, "changesSockets">): Promise<
    string | undefined
  > {
    const { runProgram } = this.#world;
    // Starts of this kind are not what the limit is for.
    await runProgram(["systemctl", "reset-failed", SERVICE]);
    // systemd does not restart a socket whose service runs.
    if (changesSockets) await runProgram(["systemctl", "stop", ...SOCKETS, SERVICE]);
    const { code, stderr } = changesSockets
      ? await runProgram(["systemctl", "start", ...SOCKETS, SERVICE])
      : await runProgram(["systemctl", "restart", SERVICE]);
    return code === 0 ? undefined : stderr.trim().split("\n")[0] || `exit code ${code}`;
  }

  /** Makes it final. */
  async confirm(): Promise<void> {
    const { tree, runProgram } = this.#world;
    await tree.remove(ROLLBACK_SCRIPT);
    await tree.sync(UPGRADE_FOLDER);
    await this.#disarmDeadline();
    await tree.remove(UPGRADE_DROP_IN);
    await tree.removeDirectory(dirname(UPGRADE_DROP_IN));
    await runProgram(["systemctl", "daemon-reload"]);
    await tree.removeTree(UPGRADE_FOLDER);
  }

  /**
   * Takes it back, and starts what was there before, where the service runs or ought to.
   *
   * @param options `isBroken`: nothing that runs now is waited for
   * @throws {InstallError} when that fails: the script is still there, and the next start tries again
   */
  async rollBack(
    { changesSockets, isBroken }: Pick<UpgradeChanges, "changesSockets"> & { isBroken: boolean },
  ): Promise<void> {
    const { runProgram, tree } = this.#world;
    await this.unstage();
    // It failed before anything was changed.
    if (await tree.look(ROLLBACK_SCRIPT) === undefined) return;
    await runToEnd({ command: ["/bin/sh", ROLLBACK_SCRIPT] }, { runProgram });
    await this.#disarmDeadline();
    const { stdout } = await runProgram(["systemctl", "is-active", SERVICE]);
    if (stdout.trim() !== "inactive") {
      // A program that hangs heeds nothing else, and queries wait.
      if (isBroken) await runProgram(["systemctl", "kill", "--signal=KILL", SERVICE]);
      const failure = await this.restart({ changesSockets });
      if (failure !== undefined) {
        throw new InstallError(
          "STEP_FAILED",
          `The version of before is back, and does not start: ${failure}. See journalctl -u outrigger.`,
        );
      }
    }
    await tree.removeTree(UPGRADE_FOLDER);
  }

  async #writeScript(text: string): Promise<void> {
    const { tree } = this.#world;
    if (await tree.look(UPGRADE_FOLDER) === undefined) {
      await tree.makeDirectory(UPGRADE_FOLDER, { mode: 0o700 });
      await tree.sync("/var/lib");
    }
    const unfinished = unfinishedPath(ROLLBACK_SCRIPT);
    await tree.remove(unfinished);
    await tree.create(unfinished, new TextEncoder().encode(text), { mode: 0o700 });
    await tree.rename(unfinished, ROLLBACK_SCRIPT);
    await tree.sync(UPGRADE_FOLDER);
  }

  /** Only until the next boot, whatever happens. */
  async #liftLimit(): Promise<void> {
    const { tree } = this.#world;
    const folder = dirname(UPGRADE_DROP_IN);
    for (const path of [dirname(folder), folder]) {
      if (await tree.look(path) === undefined) await tree.makeDirectory(path, { mode: 0o755 });
    }
    await tree.remove(UPGRADE_DROP_IN);
    const text = "[Unit]\nStartLimitIntervalSec=0\n";
    await tree.create(UPGRADE_DROP_IN, new TextEncoder().encode(text), { mode: 0o644 });
  }

  async #armDeadline(): Promise<void> {
    await this.#disarmDeadline();
    await runToEnd({
      command: [
        ...["systemd-run", "--quiet", `--unit=${DEADLINE_UNIT}`],
        ...[`--on-active=${UPGRADE_DEADLINE_SECONDS}`, "--timer-property=AccuracySec=1s"],
        ...["/bin/sh", "-c", `[ ! -e ${ROLLBACK_SCRIPT} ] || exec systemctl restart ${SERVICE}`],
      ],
    }, this.#world);
  }

  async #disarmDeadline(): Promise<void> {
    await this.#world.runProgram(["systemctl", "stop", `${DEADLINE_UNIT}.timer`]);
  }
}

/** What makes systemd read the files that were changed. */
function commandsAfter({ files, enabled }: UpgradeChanges): string[][] {
  const changes = (folder: string) => files.some(({ path }) => path.startsWith(folder));
  return [
    ...changes("/etc/sysusers.d/") ? [["systemd-sysusers", "/etc/sysusers.d/outrigger.conf"]] : [],
    ...changes("/etc/tmpfiles.d/")
      ? [["systemd-tmpfiles", "--create", "/etc/tmpfiles.d/outrigger.conf"]]
      : [],
    ["systemctl", "daemon-reload"],
    ...enabled.length === 0 ? [] : [["systemctl", "enable", ...enabled]],
  ];
}
