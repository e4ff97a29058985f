/**
 * The installer: gathers the facts, makes the plan, carries it out, and undoes it. Two journals: one of the
 * installation, and one of the capture, which comes and goes with the agent.
 *
 * @module
 */
import type { Files } from "../agent/system/files.ts";
import type { ResolvedLinks } from "../agent/host_dns/resolved_links.ts";
import { formatSocketAddress } from "../agent/system/socket_address.ts";
import type { CaptureSettings } from "./capture/capture.ts";
import { bridgesBySocket, capturedBridges } from "./capture/containers.ts";
import { type CaptureMode, type CapturePlan, planCapture } from "./capture_plan.ts";
import { InstallError } from "./errors.ts";
import type { VmFacts } from "./facts.ts";
import { type InstallOptions, planInstall, type UnitText } from "./install_plan.ts";
import { CAPTURE_JOURNAL, INSTALL_JOURNAL, Journal } from "./journal.ts";
import type { Plan } from "./plan.ts";
import { probeVm } from "./probe.ts";
import { isInForce, type StepWorld } from "./step_actions.ts";
import type { Step } from "./steps.ts";
import {
  adviceOnForged,
  findForged,
  forgetTrial,
  readTrial,
  writeTrial,
} from "./validation_trial.ts";

/** What the installer touches. */
export interface InstallerWorld extends Pick<StepWorld, "tree" | "runProgram"> {
  /** Reads the DNS set-up. */
  files: Pick<Files, "readText" | "list">;
  /** Asks systemd-resolved about its links. */
  resolvedLinks: ResolvedLinks;
  /** Whether the agent is ready and answers. */
  isServing(): Promise<boolean>;
  /** Waits until it is. @throws {InstallError} when it does not get there */
  awaitServing(): Promise<void>;
  /** Names that the agent answers itself, some of each zone. */
  namesToTry(): Promise<string[]>;
}

/** How lookups are to be sent to the agent. */
export interface CaptureRequest {
  /** Which way. */
  mode: CaptureMode;
  /** What the ways depend on. */
  settings: CaptureSettings;
}

/** What became of a capture. */
export interface CaptureOutcome {
  /** The plan. */
  plan: CapturePlan;
  /** Whether every step of it is in force. */
  inForce: boolean;
  /** The steps that were carried out. */
  changed: Step[];
  /** Whether what was captured had changed since: by another program, or another configuration. */
  hadChanged: boolean;
  /** Who writes this VM's DNS beside us, for people, e.g. `NetworkManager`. */
  rivals: string[];
}

/** The folder whose lock the capture holds, and the one of the installation. */
const LOCKS = { capture: "/run", install: "/var/lib" };

/** Changes one VM. */
export class Installer {
  readonly #world: InstallerWorld;
  readonly #steps: StepWorld;

  /** Wires the parts; nothing is touched yet. */
  constructor(world: InstallerWorld) {
    this.#world = world;
    this.#steps = {
      tree: world.tree,
      runProgram: world.runProgram,
      awaitServing: () => world.awaitServing(),
      releaseCapture: async () => {
        const problems = await this.captureDown();
        if (problems.length > 0) throw new InstallError("STEP_FAILED", problems.join("; "));
      },
    };
  }

  /** Gathers the facts. */
  probe({ settings }: Pick<CaptureRequest, "settings">): Promise<VmFacts> {
    const { port } = settings.dns;
    return probeVm({
      ...this.#world,
      own: [settings.dns, { address: "::1", port }],
      port53: settings.port53,
    });
  }

  /** The steps that have nothing to do as things are. */
  async inForce(steps: readonly Step[]): Promise<Set<Step>> {
    const found = new Set<Step>();
    for (const step of steps) {
      // Whether a command is needed after a change is not known before the change.
      if (step.kind === "run" && step.unless === undefined || step.kind === "await serving") {
        continue;
      }
      if (await isInForce(step, this.#steps, false)) found.add(step);
    }
    return found;
  }

  /** Carries a plan of {@link planInstall} out. @returns the steps that had something to do */
  async install(plan: Plan, onStep: (step: Step) => void): Promise<Step[]> {
    refuse(plan);
    return await this.#world.tree.exclusively(LOCKS.install, async () => {
      const journal = await Journal.read(INSTALL_JOURNAL, this.#steps);
      return (await journal.apply(plan.steps, onStep)).changed;
    });
  }

  /** Undoes capture and installation. @returns whether anything was there, and what failed */
  async uninstall(
    { purge }: { purge: boolean },
  ): Promise<{ wasThere: boolean; problems: string[] }> {
    return await this.#world.tree.exclusively(LOCKS.install, async () => {
      const journal = await Journal.read(INSTALL_JOURNAL, this.#steps);
      const capture = await this.#captureJournal();
      const wasThere = !journal.isEmpty || !capture.isEmpty;
      const problems = await journal.undo({ purge });
      // Also where the installation is none of this journal's.
      problems.push(...await this.captureDown());
      return { wasThere, problems: [...new Set(problems)] };
    });
  }

  /**
   * Sends lookups to the agent. Where they go there already nothing is done; where another program changed
   * that, what it wrote is learnt first.
   *
   * @throws {InstallError} when the plan refuses, the agent does not answer, a step fails, or a way that
   * nobody asked for makes names fail: then the VM has its own DNS
   */
  async captureUp(request: CaptureRequest): Promise<CaptureOutcome> {
    return await this.#world.tree.exclusively(LOCKS.capture, async () => {
      const journal = await this.#captureJournal();
      let { plan, rivals } = await this.#planCapture(request);
      if (await journal.holds(plan.steps) && plan.refusals.length === 0) {
        // DNSSEC= may have been turned on since, or nobody could be asked.
        const isTried = plan.validation === undefined || await readTrial(this.#steps) !== undefined;
        if (!isTried) await this.#tryNames(journal, plan, request);
        return { plan, inForce: true, changed: [], hadChanged: false, rivals };
      }
      const hadChanged = !journal.isEmpty;
      if (hadChanged) {
        failOn(await journal.undo({ purge: true }));
        ({ plan, rivals } = await this.#planCapture(request));
      }
      refuse(plan);
      if (plan.steps.length === 0) return { plan, inForce: true, changed: [], hadChanged, rivals };
      if (!await this.#world.isServing()) {
        throw new InstallError(
          "NOT_SERVING",
          "The agent does not answer, so nothing is sent to it. See systemctl status outrigger.",
        );
      }
      try {
        const { changed } = await journal.apply(plan.steps);
        if (plan.validation !== undefined) await this.#tryNames(journal, plan, request);
        return { plan, inForce: true, changed, hadChanged, rivals };
      } catch (error) {
        await journal.undo({ purge: true });
        throw error;
      }
    });
  }

  /** Tries names that somebody validates. A way that was asked for stands, with a warning. */
  async #tryNames(
    journal: Journal,
    plan: CapturePlan,
    { mode, settings }: CaptureRequest,
  ): Promise<void> {
    const forged = await findForged(await this.#world.namesToTry(), this.#steps);
    if (forged === undefined) return;
    if (forged.length === 0) return await writeTrial("", this.#steps);
    const { clusterDomain } = settings;
    const advice = adviceOnForged(forged, { clusterDomain, dnssec: plan.validation ?? "" });
    if (mode === "auto") {
      await journal.undo({ purge: true });
      await writeTrial(advice, this.#steps);
      throw new InstallError("INSTALL_REFUSED", advice);
    }
    plan.warnings.push(advice);
    await writeTrial("", this.#steps);
  }

  /** Gives the VM its own DNS back. @returns what failed */
  async captureDown(): Promise<string[]> {
    return await this.#world.tree.exclusively(LOCKS.capture, async () => {
      const journal = await this.#captureJournal();
      await forgetTrial(this.#steps);
      return await journal.undo({ purge: true });
    });
  }

  /** How the capture is. */
  async captureStatus(request: CaptureRequest): Promise<CaptureOutcome> {
    const journal = await this.#captureJournal();
    const { plan, rivals } = await this.#planCapture(request);
    const inForce = plan.refusals.length === 0 && await journal.holds(plan.steps);
    return { plan, inForce, changed: [], hadChanged: false, rivals };
  }

  #captureJournal(): Promise<Journal> {
    return Journal.read(CAPTURE_JOURNAL, this.#steps, { script: true });
  }

  async #planCapture(
    request: CaptureRequest,
  ): Promise<{ plan: CapturePlan; rivals: string[] }> {
    const found = await this.probe(request);
    const { port53, containers } = request.settings;
    // Never without the sockets: a bridge may have come since the installation.
    const { served, unserved } = bridgesBySocket(found, request.settings);
    const facts = { ...found, containerBridges: served };
    const plan = planCapture(facts, request.mode, request.settings);
    if (containers && unserved.length > 0) {
      plan.warnings.push(
        `The agent does not serve containers behind ${
          unserved.map(({ name }) => name).join(", ")
        } yet: run \`outrigger install\` again.`,
      );
    }
    const isServed = facts.listeners.some(({ address, port }) => address === port53 && port === 53);
    if (plan.needsPort53 && plan.refusals.length === 0 && !isServed) {
      plan.refusals.push(
        `The agent does not serve on port 53 of ${port53}, which ${plan.captures.join(" and ")} ` +
          "needs: the machine's DNS has changed since. Run `outrigger install` again.",
      );
    }
    if (plan.validation !== undefined && request.mode === "auto") {
      const refusal = await readTrial(this.#steps);
      if (refusal) plan.refusals.push(refusal);
    }
    const { content: { manager } } = facts.resolvConf;
    return { plan, rivals: [...manager === undefined ? [] : [manager], ...facts.otherWriters] };
  }
}

/** Both plans of an installation: the capture is carried out by a unit of its own, once the agent serves. */
export function planAll(
  facts: VmFacts,
  options: Omit<InstallOptions, "capture" | "port" | "port53Unit" | "containersUnit"> & {
    /** For captures that need it. */
    port53Unit: InstallOptions["port53Unit"];
    /** The unit for sockets, `address:port`, on which containers are served. */
    containersUnit: (sockets: readonly string[]) => UnitText;
  },
  { mode, settings }: CaptureRequest,
): { install: Plan; capture: CapturePlan } {
  const capture = planCapture(facts, mode, settings);
  const bridges = capturedBridges(facts, settings);
  const install = planInstall(facts, {
    ...options,
    port53Unit: capture.needsPort53 ? options.port53Unit : undefined,
    containersUnit: mode === "none" || bridges.length === 0 ? undefined : options.containersUnit(
      bridges.map(({ address }) => formatSocketAddress({ address, port: settings.dns.port })),
    ),
    capture: mode,
    port: settings.dns.port,
  });
  const refusals = capture.refusals.filter((text) => !install.refusals.includes(text));
  return { install: { ...install, refusals: [...install.refusals, ...refusals] }, capture };
}

function refuse({ refusals }: Plan): void {
  if (refusals.length > 0) throw new InstallError("INSTALL_REFUSED", refusals.join("\n"));
}

function failOn(problems: readonly string[]): void {
  if (problems.length > 0) throw new InstallError("STEP_FAILED", problems.join("; "));
}
