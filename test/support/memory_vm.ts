/**
 * A VM in memory, as the installer sees one: files that are lost and kept as on a disk, and programs of
 * which what matters is played.
 *
 * @module
 */
import type { DnsScope } from "../../agent/host_dns/dns_scope.ts";
import type { ProgramResult, RunProgram } from "../../agent/system/programs.ts";
import { NO_PROGRAM } from "../../agent/system/programs.ts";
import type { InstallerWorld } from "../../installer/installer.ts";
import { MemoryTree, type MemoryTreeStart } from "./memory_tree.ts";

/** What a {@link MemoryVm} is made of. */
export interface MemoryVmOptions {
  /** Files and links beside those of every VM. */
  files?: MemoryTreeStart;
  /** Units that run. */
  active?: readonly string[];
  /** What programs print: by their whole command line. */
  output?: Record<string, string>;
}

/** What every VM has. */
const BASE: MemoryTreeStart = {
  "/etc/group": "root:x:0:\n",
  "/etc/nsswitch.conf": "hosts: files dns\n",
  "/etc/systemd/system": undefined,
  "/opt/outrigger": "the program",
  "/proc/version": "Linux version 6.1.0",
  "/proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
  "/run/systemd/system": undefined,
  "/usr/local/bin": undefined,
  "/usr/local/lib": undefined,
  "/var/lib": undefined,
};

/** What systemd-resolved knows of a link. */
const LINK: DnsScope = {
  source: "link 2",
  servers: [{ address: "192.0.2.53" }],
  domains: [],
  defaultRoute: true,
};

/** One VM. */
export class MemoryVm {
  /** Its files. */
  readonly tree: MemoryTree;
  /** For an {@link file://../../installer/installer.ts Installer}. */
  readonly world: InstallerWorld;
  /** Units that run: lost with the power. */
  readonly active: Set<string>;
  /** The table that nft loaded: lost with the power. */
  table: string | undefined;
  /** What systemd-resolved and NetworkManager read last: lost with the power. */
  loaded: string | undefined;
  /** Called before each instruction; may throw. */
  onInstruction: () => void = () => {};
  readonly #output: Record<string, string>;

  /** Sets it up. */
  constructor({ files = {}, active = [], output = {} }: MemoryVmOptions = {}) {
    this.tree = new MemoryTree({ ...BASE, ...files });
    this.tree.onInstruction = () => this.onInstruction();
    this.active = new Set(active);
    this.#output = output;
    const readText = async (path: string) => {
      await Promise.resolve();
      const text = this.tree.text(path);
      if (text === undefined) throw new Deno.errors.NotFound(path);
      return text;
    };
    this.world = {
      tree: this.tree,
      runProgram: this.#run,
      files: { readText, list: (path) => this.tree.list(path) },
      resolvedLinks: () => Promise.resolve([LINK]),
      isServing: () => Promise.resolve(true),
      awaitServing: () => Promise.resolve(),
      namesToTry: () => Promise.resolve([]),
    };
  }

  /** What is there: files and what programs hold. */
  state(): unknown {
    const { table, loaded } = this;
    return { files: this.tree.snapshot(), table, loaded, active: [...this.active].sort() };
  }

  /** The power goes: what was not synced and what programs hold is lost; units start anew. */
  cutPower(loses?: () => boolean): void {
    this.tree.cutPower(loses);
    this.table = this.loaded = undefined;
  }

  readonly #run: RunProgram = async (command, { input } = {}) => {
    await Promise.resolve();
    const line = command.join(" ");
    const ok = (stdout = ""): ProgramResult => ({ code: 0, stdout, stderr: "" });
    const no = (code = 1): ProgramResult => ({ code, stdout: "", stderr: "" });
    if (line in this.#output) return ok(this.#output[line]);
    const [program, verb, ...rest] = command;
    const units = rest.filter((word) => !word.startsWith("-"));
    const isMade = (path: string) => this.tree.text(path) !== undefined;
    switch (`${program} ${verb}`) {
      case "id -u":
        return ok("0\n");
      case "test -w":
      case "test -e":
        return rest[0] === "/etc" || isMade(rest[0]) ? ok() : no();
      case "systemctl --version":
        return ok("systemd 252 (252.36-1~deb12u1)\n");
      case "systemctl is-active": {
        const states = units.map((unit) => this.active.has(unit) ? "active" : "inactive");
        return { ...(states.includes("inactive") ? no(3) : ok()), stdout: states.join("\n") };
      }
      case "systemctl is-enabled":
        return units.every((unit) => isMade(`/etc/systemd/system/wants/${unit}`)) ? ok() : no();
      case "getent passwd":
        return isMade("/etc/user-outrigger") ? ok() : no();
      case "nft list":
        if (rest[0] === "ruleset") return ok();
        return this.table === undefined ? no() : ok();
      case "grep -qsxF":
        return this.tree.text(rest[1])?.includes(`${rest[0]}\n`) ? ok() : no();
    }
    if (
      [
        ...["ss", "iptables-save", "resolvectl", "lsattr", "resolvconf", "NetworkManager"],
        "dpkg-query",
      ].includes(program)
    ) {
      if (program !== "resolvconf" || verb === "--version") return no(NO_PROGRAM);
    }
    if (program === "nft" && verb === "--version") return ok("nftables v1.0.6 (Lester Gooch #5)\n");
    // From here on something is changed.
    this.onInstruction();
    switch (`${program} ${verb}`) {
      case "systemctl enable":
        for (const unit of rest) this.tree.put(`/etc/systemd/system/wants/${unit}`, "-> ../unit");
        return ok();
      case "systemctl disable":
        for (const unit of rest) this.tree.drop(`/etc/systemd/system/wants/${unit}`);
        this.tree.drop("/etc/systemd/system/wants");
        return ok();
      case "systemctl start":
        for (const unit of rest) this.active.add(unit);
        return ok();
      case "systemctl stop":
        for (const unit of rest) this.active.delete(unit);
        return ok();
      case "systemctl reload":
      case "systemctl reload-or-restart":
        this.loaded = this.tree.text("/run/systemd/resolved.conf.d/zz-outrigger.conf") ??
          this.tree.text("/run/NetworkManager/conf.d/zz-outrigger.conf");
        return ok();
      case "systemd-sysusers /etc/sysusers.d/outrigger.conf":
      case "systemd-sysusers /usr/lib/sysusers.d/outrigger.conf":
        this.tree.put("/etc/user-outrigger", "yes");
        return ok();
      case "userdel outrigger":
        this.tree.drop("/etc/user-outrigger");
        return ok();
      case "nft -f":
        this.table = /^table inet outrigger \{/m.test(input ?? "") ? input : undefined;
        return ok();
      case "resolvconf -a":
        this.tree.put(`/run/resolvconf/interface/${rest[0]}`, input ?? "");
        return ok();
      case "resolvconf -d":
        this.tree.drop(`/run/resolvconf/interface/${rest[0]}`);
        return ok();
    }
    return ok();
  };
}
