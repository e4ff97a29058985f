/**
 * A DNS server that is measured: how it is configured and started.
 *
 * @module
 */
import type { HostEntry } from "../../../agent/names/host_entry.ts";
import type { FakeControlPlane } from "../../support/fake_control_plane.ts";

/** Where a server runs and what it serves. */
export interface PeerSite {
  /** For its files. */
  folder: string;
  /** Address that it listens on. */
  address: string;
  /** Port that it listens on. */
  port: number;
  /** The mesh's names. */
  hosts: readonly HostEntry[];
  /** Address of the nameserver for all other names, on port 53. */
  upstream: string;
  /** Has the mesh's names for those that ask for them as an agent does. */
  controlPlane: FakeControlPlane;
}

/** What a server can do beside answering for the mesh's names. */
export type Ability = "mesh" | "autopath" | "forward" | "cache";

/** One kind of server. */
export interface Peer {
  /** As `--peers` names it. */
  name: string;
  /** What it can do. */
  abilities: readonly Ability[];
  /** Whether it writes owner names out in full where others point at the question's. */
  writesNamesOut?: boolean;
  /** Builds or unpacks what it needs, which may take the network. @throws with what is missing */
  prepare(): Promise<void>;
  /** Its version, in a word. */
  version(): Promise<string>;
  /** Writes its configuration; returns the command that runs it in the foreground. */
  command(site: PeerSite): Promise<string[]>;
}

/** A hosts file of all names. */
export function hostsFile(hosts: readonly HostEntry[]): string {
  return hosts.map(({ host, addresses: [address] }) => `${address} ${host}\n`).join("");
}

/** The first thing in a program's output that looks like a version. */
export async function versionOf(program: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await new Deno.Command(program, { args, stdin: "null" }).output();
  const text = new TextDecoder();
  return /\d+\.[\w.~+-]+/.exec(text.decode(stdout) + text.decode(stderr))?.[0] ?? "unknown";
}
