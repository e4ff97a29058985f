/**
 * Looks at the machine: its files, its programs, outrigger's units and journals. What cannot be read counts
 * as not there.
 *
 * @module
 */
import { RESOLV_CONF } from "../agent/host_dns/host_dns.ts";
import { parseResolvConf } from "../agent/host_dns/resolv_conf.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import { NO_PROGRAM } from "../agent/system/programs.ts";
import { OWN_COMMENT } from "../installer/capture/capture.ts";
import type { VmFacts } from "../installer/facts.ts";
import { CAPTURE_JOURNAL, INSTALL_JOURNAL, Journal } from "../installer/journal.ts";
import type { Step } from "../installer/steps.ts";
import { within } from "./ask.ts";
import type { DoctorOptions } from "./doctor_options.ts";
import type {
  DoctorFacts,
  JournalFacts,
  NftablesFacts,
  ResolvConfNow,
  ResolvedNow,
} from "./facts.ts";
import {
  lastWords,
  parseDockerDns,
  parseNftTable,
  parsePodmanDns,
  parseResolved,
  writerOf,
} from "./machine_output.ts";
import { parseNextElapse, parseUnitStates, UNIT_PROPERTIES, WATCHED_UNITS } from "./unit_states.ts";

/** How long the facts of the VM may take, in milliseconds: some twenty programs, one after another. */
const VM_MS = 8_000;

/** Looks at one machine. */
export class MachineProbe {
  readonly #options: DoctorOptions;

  /** Wires the parts; looks at nothing yet. */
  constructor(options: DoctorOptions) {
    this.#options = options;
  }

  /** Whether this runs as root. */
  async isRoot(): Promise<boolean> {
    return (await this.#output(["id", "-u"])).trim() === "0";
  }

  /** Facts of the VM without outrigger; undefined where that takes too long. */
  vm(): Promise<VmFacts | undefined> {
    const { world: { clock }, probeVm } = this.#options;
    return within(clock, { limitMs: VM_MS, otherwise: undefined }, probeVm());
  }

  /** outrigger's units. */
  async units(): Promise<DoctorFacts["units"]> {
    const properties = `--property=${UNIT_PROPERTIES.join(",")}`;
    return parseUnitStates(await this.#output(["systemctl", "show", properties, ...WATCHED_UNITS]));
  }

  /** When a broken agent is started again; empty where that is not pending. */
  async nextRetry(): Promise<string> {
    return parseNextElapse(
      await this.#output(["systemctl", "list-timers", "--no-legend", "outrigger-retry.timer"]),
    );
  }

  /** What the agent and the last capture said last. */
  async lastWords(): Promise<DoctorFacts["lastWords"]> {
    const log = async (unit: string) =>
      lastWords(
        await this.#output([
          ...["journalctl", "--quiet", "--no-pager", "--boot", "--lines=20", "--output=cat"],
          `_SYSTEMD_UNIT=${unit}`,
        ]),
      );
    const [agent, capture] = await Promise.all([
      log("outrigger.service"),
      log("outrigger-capture.service"),
    ]);
    return { agent, capture };
  }

  /** Our table. */
  async nftables(): Promise<NftablesFacts> {
    return parseNftTable(
      await this.#options.runProgram(["nft", "list", "table", "inet", "outrigger"]),
      NO_PROGRAM,
    );
  }

  /** What systemd-resolved does now. */
  async resolved(): Promise<ResolvedNow> {
    const [dns, domain] = await Promise.all(
      ["dns", "domain"].map((what) => this.#output(["resolvectl", what])),
    );
    return parseResolved(dns, domain);
  }

  /** /etc/resolv.conf as it is now. */
  async resolvConf(): Promise<ResolvConfNow> {
    const { world: { files }, capture: { settings: { port53 } } } = this.#options;
    const [text, stat] = await Promise.all([
      this.#text(RESOLV_CONF),
      files.stat(RESOLV_CONF).catch(() => undefined),
    ]);
    const content = parseResolvConf(text);
    return {
      exists: stat !== undefined,
      namesAgent: text.startsWith(OWN_COMMENT) || content.nameservers.includes(port53),
      content,
      writer: writerOf(text),
      modifiedMs: stat?.modifiedMs,
    };
  }

  /** What is written down of changes, and whether `steps` are in force. */
  async journals(steps: readonly Step[]): Promise<JournalFacts> {
    const { tree, runProgram } = this.#options;
    const never = () => Promise.reject(new Error("the doctor changes nothing"));
    const world = { tree, runProgram, awaitServing: never, releaseCapture: never };
    try {
      const capture = await Journal.read(CAPTURE_JOURNAL, world);
      const install = await Journal.read(INSTALL_JOURNAL, world);
      return {
        inForce: await capture.holds(steps),
        written: { capture: capture.pending, install: install.pending },
        isInstallFinished: install.isFinished,
        problem: "",
      };
    } catch (error) {
      return {
        inForce: false,
        written: { capture: 0, install: 0 },
        isInstallFinished: true,
        problem: messageOf(error),
      };
    }
  }

  /** Programs that start containers. */
  async containers(vm: VmFacts | undefined): Promise<DoctorFacts["containers"]> {
    const found: DoctorFacts["containers"] = [];
    if (vm?.engines.includes("Docker")) {
      const nameservers = parseDockerDns(await this.#text("/etc/docker/daemon.json"));
      found.push({ engine: "Docker", nameservers });
    }
    if (vm?.engines.includes("Podman")) {
      const nameservers = parsePodmanDns(await this.#text("/etc/containers/containers.conf"));
      found.push({ engine: "Podman", nameservers });
    }
    return found;
  }

  async #output(command: readonly string[]): Promise<string> {
    return (await this.#options.runProgram(command)).stdout;
  }

  #text(path: string): Promise<string> {
    return this.#options.world.files.readText(path).catch(() => "");
  }

  /** Whether anything lies at a path. */
  async exists(path: string): Promise<boolean> {
    return await this.#options.tree.look(path).catch(() => undefined) !== undefined;
  }
}
