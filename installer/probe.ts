/**
 * Gathers the facts of a VM. What cannot be found out counts as not there: nothing of it is an error.
 *
 * @module
 */
import { dirname, resolve } from "node:path";
import { probeHostDns, RESOLV_CONF, SAVED_RESOLV_CONF } from "../agent/host_dns/host_dns.ts";
import { parseDnsOverTls } from "../agent/host_dns/dns_scope.ts";
import { parseResolvConf } from "../agent/host_dns/resolv_conf.ts";
import type { ResolvedLinks } from "../agent/host_dns/resolved_links.ts";
import type { FileTree } from "../agent/system/file_tree.ts";
import type { Files } from "../agent/system/files.ts";
import type { RunProgram } from "../agent/system/programs.ts";
import type { SocketAddress } from "../agent/system/socket_address.ts";
import { type Layout, OWN_LAYOUT, PACKAGE_LAYOUT } from "../systemd/layout.ts";
import { NETWORK_MANAGER_DROP_IN } from "./capture/network_manager.ts";
import { OWN_COMMENT } from "./capture/capture.ts";
import { STUB_FILE, UPLINK_FILE } from "./capture/resolved.ts";
import { withoutOwnLines } from "./undo.ts";
import type { ResolvConfFacts, ResolvedFacts, VmFacts } from "./facts.ts";
import {
  parseContainerBridges,
  parseListeners,
  parseMountPoints,
  parseNetworkManagerMain,
  parseNsswitchHosts,
  parseResolvectlLines,
  redirectsDnsByIstio,
} from "./program_output.ts";

/** What facts are gathered with. */
export interface ProbeOptions {
  /** The file system. */
  tree: FileTree;
  /** Reads the DNS set-up. */
  files: Pick<Files, "readText" | "list">;
  /** Other programs. */
  runProgram: RunProgram;
  /** Asks systemd-resolved about its links. */
  resolvedLinks: ResolvedLinks;
  /** Where the agent serves, or will: never one of the VM's nameservers. */
  own: readonly SocketAddress[];
  /** The agent's address for port 53: a resolv.conf that names it is ours. */
  port53: string;
}

/** Units whose state matters, and what they are called for people. */
const UNITS = {
  resolved: "systemd-resolved.service",
  networkManager: "NetworkManager.service",
  networkd: "systemd-networkd.service",
  firewalld: "firewalld.service",
  ufw: "ufw.service",
  docker: "docker.service",
  libvirt: "libvirtd.service",
} as const;

/** Where packages put units. */
const PACKAGED = [PACKAGE_LAYOUT.unitFolder, "/lib/systemd/system"];

/** The layout of this VM. */
export async function findLayout(tree: Pick<FileTree, "look">): Promise<Layout> {
  for (const folder of PACKAGED) {
    if (await tree.look(`${folder}/outrigger.service`) !== undefined) return PACKAGE_LAYOUT;
  }
  return OWN_LAYOUT;
}

/** Gathers them. */
export async function probeVm(options: ProbeOptions): Promise<VmFacts> {
  const prober = new Prober(options);
  const active = await prober.activeUnits();
  const { own, files } = options;
  const { dns } = await probeHostDns({
    files,
    exclude: [...own, { address: options.port53, port: 53 }],
    savedResolvConf: SAVED_RESOLV_CONF,
    ...(active.has("resolved") && { resolvedLinks: options.resolvedLinks }),
  });
  return {
    isRoot: (await prober.output(["id", "-u"])).trim() === "0",
    systemdVersion: await prober.systemdVersion(),
    etcReadOnly: !await prober.succeeds(["test", "-w", "/etc"]) &&
      (await prober.output(["id", "-u"])).trim() === "0",
    layout: await findLayout(options.tree),
    resolvConf: await prober.resolvConf(),
    nsswitchHosts: parseNsswitchHosts(await prober.text("/etc/nsswitch.conf")),
    resolved: active.has("resolved") ? await prober.resolved() : undefined,
    networkManager: active.has("networkManager") ? await prober.networkManager() : undefined,
    resolvconf: await prober.resolvconf(),
    otherWriters: [
      ...active.has("networkd") && !active.has("resolved") ? ["systemd-networkd"] : [],
      ...await prober.processes(["dhclient", "dhcpcd"]),
      ...await prober.exists("/etc/cloud/cloud.cfg") ? ["cloud-init"] : [],
    ],
    isWsl: /microsoft/i.test(await prober.text("/proc/version")),
    listeners: parseListeners(await prober.output(["ss", "-Hlntup"]), [53, own[0].port]),
    nftVersion: /nftables v(\S+)/.exec(await prober.output(["nft", "--version"]))?.[1],
    istioRedirectsDns: redirectsDnsByIstio(await prober.natRules()),
    firewalls: (["firewalld", "ufw"] as const).filter((name) => active.has(name)),
    engines: [
      // Not only once it runs: what it starts at the boot gets a copy of resolv.conf as it is then.
      ...active.has("docker") || await prober.exists("/usr/bin/dockerd") ? ["Docker"] : [],
      ...await prober.exists("/usr/bin/podman") ? ["Podman"] : [],
      ...active.has("libvirt") ? ["libvirt"] : [],
    ],
    containerBridges: parseContainerBridges(await prober.output(["ip", "-j", "-4", "address"])),
    dns: {
      servers: dns.servers,
      domains: dns.domains,
      searchDomains: dns.searchDomains,
    },
  };
}

class Prober {
  readonly #options: ProbeOptions;

  constructor(options: ProbeOptions) {
    this.#options = options;
  }

  /** What a program prints; empty where it is missing or fails. */
  async output(command: readonly string[]): Promise<string> {
    const { code, stdout } = await this.#options.runProgram(command);
    return code === 0 ? stdout : "";
  }

  async succeeds(command: readonly string[]): Promise<boolean> {
    return (await this.#options.runProgram(command)).code === 0;
  }

  async exists(path: string): Promise<boolean> {
    return await this.#options.tree.look(path) !== undefined;
  }

  /** The text of a file; empty where it cannot be read. */
  text(path: string): Promise<string> {
    return this.#options.files.readText(path).catch(() => "");
  }

  async systemdVersion(): Promise<number | undefined> {
    // As sd_booted(3) finds out whether systemd is process 1.
    if (await this.#options.tree.look("/run/systemd/system") === undefined) return undefined;
    const version = /^systemd (\d+)/.exec(await this.output(["systemctl", "--version"]))?.[1];
    return version === undefined ? undefined : Number(version);
  }

  async activeUnits(): Promise<Set<keyof typeof UNITS>> {
    const { stdout } = await this.#options.runProgram([
      "systemctl",
      "is-active",
      ...Object.values(UNITS),
    ]);
    const states = stdout.trim().split("\n");
    const names = Object.keys(UNITS) as (keyof typeof UNITS)[];
    return new Set(names.filter((_, index) => states[index] === "active"));
  }

  /** The rules that redirect, of whichever kind. Asking for those of old iptables would load its module. */
  async natRules(): Promise<string> {
    const rules = await this.output(["nft", "list", "ruleset"]);
    const isOldInUse = /^nat$/m.test(await this.text("/proc/net/ip_tables_names"));
    const isNew = (await this.output(["iptables-save", "--version"])).includes("nf_tables");
    if (!isOldInUse && (rules !== "" || !isNew)) return rules;
    return rules + await this.output(["iptables-save", "-t", "nat"]);
  }

  /** resolv.conf as it was before ours took its place. */
  async resolvConf(): Promise<ResolvConfFacts> {
    const { tree, port53 } = this.#options;
    const current = await this.text(RESOLV_CONF);
    const isOurs = current.startsWith(OWN_COMMENT) ||
      await this.#linkAt(RESOLV_CONF) === STUB_FILE &&
        await this.#linkAt(SAVED_RESOLV_CONF) === UPLINK_FILE;
    const path = isOurs ? SAVED_RESOLV_CONF : RESOLV_CONF;
    const entry = await tree.look(path);
    const type = entry === undefined
      ? "missing"
      : entry.type === "directory"
      ? "other"
      : entry.type;
    const target = await this.#linkAt(path);
    // Another program's file may still have our line, as a DHCP client's that adds its own to it.
    const text = isOurs ? await this.text(path) : withoutOwnLines(current, {
      nameserver: port53,
      before: await this.text(SAVED_RESOLV_CONF),
    });
    const mounts = parseMountPoints(await this.text("/proc/self/mountinfo"));
    const exists = await tree.look(RESOLV_CONF) !== undefined;
    const isImmutable = exists && type === "file" &&
      /^\S*i/.test(await this.output(["lsattr", "-d", RESOLV_CONF]));
    return {
      type,
      target,
      isDangling: target !== undefined && text === "" &&
        !await this.succeeds(["test", "-e", target]),
      isMount: mounts.includes(RESOLV_CONF),
      isReadOnly: exists && type === "file" && !isImmutable &&
        !await this.succeeds(["test", "-w", RESOLV_CONF]),
      isImmutable,
      content: parseResolvConf(text),
      text,
    };
  }

  /** Where the link at a path leads; undefined where there is none. */
  async #linkAt(path: string): Promise<string | undefined> {
    const { tree } = this.#options;
    if ((await tree.look(path))?.type !== "link") return undefined;
    return resolve(dirname(path), await tree.readLink(path));
  }

  async resolved(): Promise<ResolvedFacts> {
    const lines = async (what: string) =>
      parseResolvectlLines(await this.output(["resolvectl", what]));
    const global = (values: Map<string, string>) => values.get("Global") ?? "";
    const dnssec = global(await lines("dnssec"));
    const domains = await lines("domain");
    const listeners = parseListeners(await this.output(["ss", "-Hlntup"]), [53]);
    return {
      hasStub: listeners.some(({ address }) => address === "127.0.0.53"),
      dnssec: dnssec.startsWith("yes")
        ? "yes"
        : dnssec.startsWith("allow-downgrade")
        ? "allow-downgrade"
        : "no",
      dnsOverTls: parseDnsOverTls(global(await lines("dnsovertls"))) ?? "no",
      linksForAllNames: [...domains].filter(([link, names]) =>
        link !== "Global" && names.split(/\s+/).includes("~.")
      ).map(([link]) => link),
    };
  }

  async networkManager(): Promise<VmFacts["networkManager"]> {
    const main = parseNetworkManagerMain(await this.output(["NetworkManager", "--print-config"]));
    const isOurs = await this.#options.tree.look(NETWORK_MANAGER_DROP_IN) !== undefined;
    const dns = main.get("dns") ?? "default";
    return {
      dns: isOurs && dns === "none" ? "default" : dns,
      rcManager: main.get("rc-manager") ?? "auto",
    };
  }

  /** systemd's resolvectl answers to that name too, and is neither. */
  async resolvconf(): Promise<VmFacts["resolvconf"]> {
    const { code, stdout, stderr } = await this.#options.runProgram(["resolvconf", "--version"]);
    const said = stdout + stderr;
    if (said.includes("openresolv")) return "openresolv";
    if (/systemd/.test(said)) return undefined;
    const isDebians = code !== 127 &&
      await this.#options.tree.look("/etc/resolvconf/update.d") !== undefined;
    return isDebians ? "resolvconf" : undefined;
  }

  /** Those of these programs that run. */
  async processes(names: readonly string[]): Promise<string[]> {
    const running = new Set<string>();
    for (const pid of await this.#options.files.list("/proc").catch(() => [])) {
      if (/^\d+$/.test(pid)) running.add((await this.text(`/proc/${pid}/comm`)).trim());
    }
    return names.filter((name) => running.has(name));
  }
}
