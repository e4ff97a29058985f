/**
 * The VM's own DNS set-up as it changes: leases are renewed, VPNs come and go, people edit files. What was
 * good last stays in force: an empty or half-written file never takes the servers away.
 *
 * @module
 */
import { dirname } from "node:path";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/log.ts";
import { formatNameserver } from "../system/nameserver.ts";
import {
  DHCLIENT_FOLDER,
  type HostDns,
  type HostDnsOptions,
  NETWORK_MANAGER_FILES,
  probeHostDns,
  RESOLV_CONF,
  RESOLVCONF_FOLDERS,
} from "./host_dns.ts";
import {
  NETWORKD_LINKS_FOLDER,
  RESOLVED_CONF_FOLDERS,
  RESOLVED_LINKS_FOLDER,
  RESOLVED_UPLINKS,
} from "./resolved_setup.ts";

/** What a {@link HostDnsWatch} needs. */
export interface HostDnsWatchOptions extends HostDnsOptions {
  /** Reads and watches the set-up. */
  files: Pick<Files, "readText" | "list" | "watch">;
  /** Tells how long a change has lasted. */
  clock: Clock;
  /** For changes, and for a set-up that became empty. */
  log: Logger;
}

/** How long a change has to last, in milliseconds: programs write several files in a row. */
const SETTLE_MS = 200;
/** How long one has to last that looks half-written. */
const GRACE_MS = 3_000;
/** How often the set-up is read without being told of a change: folders come later, D-Bus is not watched. */
const POLL_MS = 5_000;
const NOTHING: HostDns = { servers: [], domains: [], searchDomains: [], source: "", trace: [] };

/** Watches the set-up. */
export class HostDnsWatch {
  readonly #options: HostDnsWatchOptions;
  readonly #watched = new Set<string>();
  #current = NOTHING;
  #problem: string | undefined;
  /** A set-up that is not in force yet, and since when it has been seen. */
  #candidate: { key: string; sinceMs: number } | undefined;
  /** Something was written that was not read yet. */
  #changed = false;
  #wake = () => {};

  /** Wires the parts; {@link read} and {@link run} read. */
  constructor(options: HostDnsWatchOptions) {
    this.#options = options;
  }

  /** The set-up in force; empty before it was first read. */
  get current(): HostDns {
    return this.#current;
  }

  /** What is wrong with the VM's set-up as it is now, so that an earlier one stays in force. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Reads the set-up now; one without servers is put in force only where there was none with servers. */
  async read(): Promise<HostDns> {
    const { dns } = await probeHostDns(this.#options);
    if (isUsable(dns) || !isUsable(this.#current)) this.#replace(dns);
    return this.#current;
  }

  /** Reads it again whenever it may have changed, and reports what is new, until `signal` is aborted. */
  async run(signal: AbortSignal, onChange: (dns: HostDns) => void): Promise<void> {
    while (!signal.aborted) {
      this.#watchFolders(signal);
      await this.#pause(await this.#look(onChange), signal);
    }
  }

  /** Reads once and puts in force what has lasted; returns in how many milliseconds to look again. */
  async #look(onChange: (dns: HostDns) => void): Promise<number> {
    this.#changed = false;
    const { dns, unfinished } = await probeHostDns(this.#options);
    const key = keyOf(dns);
    if (key === keyOf(this.#current)) {
      this.#candidate = undefined;
      this.#problem = undefined;
      return POLL_MS;
    }
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#candidate?.key !== key) this.#candidate = { key, sinceMs: nowMs };
    const isLoss = !isUsable(dns) && isUsable(this.#current);
    const neededMs = isLoss || unfinished.length > 0 ? GRACE_MS : SETTLE_MS;
    const leftMs = this.#candidate.sinceMs + neededMs - nowMs;
    if (leftMs > 0) return leftMs;
    if (isLoss) {
      this.#keep(dns);
      return POLL_MS;
    }
    this.#replace(dns);
    this.#options.log.info("The VM's own DNS set-up changed", {
      servers: dns.servers.map(formatNameserver),
      domains: dns.domains.map(({ domain }) => domain),
      source: dns.source,
    });
    onChange(dns);
    return POLL_MS;
  }

  #replace(dns: HostDns): void {
    this.#current = dns;
    this.#candidate = undefined;
    this.#problem = undefined;
  }

  #keep({ trace }: HostDns): void {
    if (this.#problem !== undefined) return;
    this.#problem = `The VM's own DNS set-up has no nameserver any more (${trace.join("; ")})`;
    this.#options.log.warn(`${this.#problem}; the last ones stay in force`, {
      servers: this.#current.servers.map(formatNameserver),
    });
  }

  /** Waits until it is time, or a moment after something was written. */
  async #pause(delayMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancels = [clock.schedule(this.#changed ? SETTLE_MS : delayMs, resolve)];
    this.#wake = () => {
      cancels.push(clock.schedule(SETTLE_MS, resolve));
      this.#wake = () => {};
    };
    const end = () => resolve();
    signal.addEventListener("abort", end);
    if (signal.aborted) end();
    await promise;
    signal.removeEventListener("abort", end);
    this.#wake = () => {};
    for (const cancel of cancels) cancel();
  }

  /** Watches the folders that are there; others may come. */
  #watchFolders(signal: AbortSignal): void {
    const onWrite = () => {
      this.#changed = true;
      this.#wake();
    };
    const { files, savedResolvConf } = this.#options;
    for (const folder of foldersOf(savedResolvConf)) {
      if (this.#watched.has(folder)) continue;
      try {
        files.watch(folder, onWrite, { signal });
        this.#watched.add(folder);
      } catch { /* not there, or not for us to see: it is still read every few seconds */ }
    }
  }
}

/** Every folder whose files may tell something. */
function foldersOf(savedResolvConf: string | undefined): Set<string> {
  const files = [RESOLV_CONF, RESOLVED_UPLINKS, ...NETWORK_MANAGER_FILES];
  if (savedResolvConf !== undefined) files.push(savedResolvConf);
  return new Set([
    ...files.map((path) => dirname(path)),
    ...RESOLVED_CONF_FOLDERS.flatMap((folder) => [folder, `${folder}/resolved.conf.d`]),
    RESOLVED_LINKS_FOLDER,
    NETWORKD_LINKS_FOLDER,
    ...RESOLVCONF_FOLDERS,
    DHCLIENT_FOLDER,
  ]);
}

function isUsable({ servers }: HostDns): boolean {
  return servers.length > 0;
}

/** What makes a set-up another one: not where it was found. */
function keyOf({ servers, domains, searchDomains }: HostDns): string {
  return JSON.stringify([servers, domains, searchDomains]);
}
