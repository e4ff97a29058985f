/**
 * Reading the files of a VM's DNS set-up: what was found on the way is kept as a trace, and what is
 * missing or unreadable is never an error, since most of these files are of programs that do not run.
 *
 * @module
 */
import { canonicalAddress } from "../dns/ip_address.ts";
import { messageOf } from "../system/agent_error.ts";
import type { Files } from "../system/files.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import { parseResolvConf, type ResolvConf } from "./resolv_conf.ts";

const DNS_PORT = 53;

/** A resolv.conf that was read. */
export interface ReadResolvConf extends ResolvConf {
  /** The file. */
  path: string;
  /** Whether it names one of this agent's listeners, which are not among its nameservers here. */
  namesAgent: boolean;
}

/** The files, with what this agent's own listeners are. */
export class SetupFiles {
  /** How things were found, a step a line. */
  readonly trace: string[] = [];
  /**
   * What may be whole in a moment: files that do not end in a newline or say nothing, a program that does
   * not answer.
   */
  readonly unfinished: string[] = [];
  readonly #files: Pick<Files, "readText" | "list">;
  readonly #own: readonly SocketAddress[];

  /** Reads with `files`; `exclude` are this agent's listeners. */
  constructor(
    { files, exclude }: {
      files: Pick<Files, "readText" | "list">;
      exclude: readonly SocketAddress[];
    },
  ) {
    this.#files = files;
    this.#own = exclude;
  }

  /** The text of a file; undefined where it cannot be had. */
  async text(path: string): Promise<string | undefined> {
    try {
      const text = await this.#files.readText(path);
      // Programs replace theirs below /run as a whole; 247's networkd ends none with a newline.
      if (text !== "" && !text.endsWith("\n") && !path.startsWith("/run/")) {
        this.unfinished.push(path);
      }
      return text;
    } catch (error) {
      this.#note(path, error);
      return undefined;
    }
  }

  /** Names in a folder; none where it cannot be had. */
  async list(path: string): Promise<string[]> {
    try {
      return await this.#files.list(path);
    } catch (error) {
      this.#note(path, error);
      return [];
    }
  }

  /**
   * A file in the format of resolv.conf without this agent's own listeners, and with a step of the trace.
   *
   * @param options `anyPort`: leave out servers by their address alone, for files whose writer drops
   * the port
   */
  async resolvConf(
    path: string,
    { anyPort = false } = {},
  ): Promise<ReadResolvConf | undefined> {
    const text = await this.text(path);
    if (text === undefined) return undefined;
    const parsed = parseResolvConf(text);
    this.trace.push(...parsed.problems.map((problem) => `${path}:${problem}`));
    const nameservers = parsed.nameservers.filter((address) =>
      !this.isOwn({ address, port: anyPort ? undefined : DNS_PORT })
    );
    const namesAgent = nameservers.length < parsed.nameservers.length;
    const servers = nameservers.join(", ") || "no usable nameserver";
    this.trace.push(`${path}: ${servers}${namesAgent ? " (this agent left out)" : ""}`);
    return { ...parsed, nameservers, namesAgent, path };
  }

  /** Whether a server is one of this agent's listeners; with no port, whether it may be. */
  isOwn({ address, port }: { address: string; port: number | undefined }): boolean {
    const canonical = canonicalAddress(address) ?? address;
    return this.#own.some((own) =>
      (port === undefined || port === own.port) &&
      (canonical === canonicalAddress(own.address) ||
        own.address === "0.0.0.0" && canonical.startsWith("127.") ||
        own.address === "::" && canonical === "::1")
    );
  }

  /** What is not there is no news; what may not be read is. */
  #note(path: string, error: unknown): void {
    const absent = error instanceof Error && error.name === "NotFound";
    if (!absent) this.trace.push(`${path}: ${messageOf(error)}`);
  }
}
