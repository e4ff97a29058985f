/**
 * The last good name table on disk: a header line with a checksum, then the NameTable as it came. Served
 * at once after a restart, whatever the control plane does.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import * as z from "zod";
import { messageOf } from "../system/agent_error.ts";
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { MeshProblem } from "./errors.ts";
import { refuseNewerFormat } from "./state_format.ts";

/** A table with what is known of it. */
export interface TableSnapshot {
  /** The encoded NameTable. */
  bytes: Uint8Array;
  /** Version that the control plane gave. */
  version: string;
  /** When it was received, milliseconds since 1970. */
  receivedAtMs: number;
}

/** A table to put in force. */
export interface NameTablePush extends TableSnapshot {
  /** Whether it came just now or from the disk. */
  origin: "control-plane" | "disk";
}

/** What becomes of a push. */
export type PushVerdict =
  /** It is in force: ACK. */
  | { accepted: true }
  /** It cannot be, and the one before stays: NACK. */
  | { accepted: false; reason: string };

const FILE = "name-table.bin";
/** Pushes that come in quick succession are written once, in milliseconds. */
const COALESCE_MS = 2_000;

/** See `state_format.ts`. */
const FORMAT = 1;
const formatSchema = z.object({ format: z.string().regex(/^outrigger-name-table\/\d{1,6}$/) });
const headerSchema = z.object({
  version: z.string(),
  receivedAt: z.iso.datetime(),
  sha256: z.string(),
});

/** The file of a state folder. */
export class SavedTable {
  readonly #path: string;
  readonly #stateDir: string;
  readonly #files: Files;
  readonly #clock: Clock;
  #pending: TableSnapshot | undefined;
  #cancel: (() => void) | undefined;
  #writing: Promise<void> = Promise.resolve();
  #problem: MeshProblem | undefined;
  #writtenMs = -COALESCE_MS;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param options `stateDir`: made at the first write where there is none
   */
  constructor(options: { stateDir: string; files: Files; clock: Clock }) {
    this.#path = join(options.stateDir, FILE);
    this.#stateDir = options.stateDir;
    this.#files = options.files;
    this.#clock = options.clock;
  }

  /** What keeps the table from being kept. */
  get problem(): MeshProblem | undefined {
    return this.#problem;
  }

  /** Reads the table; undefined where there is none, or where it is damaged, which is then a problem. */
  async load(): Promise<TableSnapshot | undefined> {
    try {
      if (await this.#files.stat(this.#path) === undefined) return undefined;
      const content = await this.#files.readBytes(this.#path);
      const newline = content.indexOf(0x0a);
      const line: unknown = JSON.parse(
        new TextDecoder().decode(content.subarray(0, Math.max(0, newline))),
      );
      refuseNewerFormat(Number(formatSchema.parse(line).format.split("/")[1]), FORMAT);
      const header = headerSchema.parse(line);
      const bytes = content.subarray(newline + 1);
      if (await sha256(bytes) !== header.sha256) throw new Error("its checksum does not match");
      return { bytes, version: header.version, receivedAtMs: Date.parse(header.receivedAt) };
    } catch (error) {
      this.passOver(messageOf(error));
      return undefined;
    }
  }

  /**
   * Puts what was saved in force.
   *
   * @param onTable says whether it is usable
   */
  async restore(onTable: (push: NameTablePush) => Promise<PushVerdict>): Promise<void> {
    const snapshot = await this.load();
    if (snapshot === undefined) return;
    const verdict = await onTable({ ...snapshot, origin: "disk" });
    if (!verdict.accepted) this.passOver(verdict.reason);
  }

  /** Says that what was saved is not usable. */
  passOver(reason: string): void {
    this.#problem = {
      code: "SAVED_TABLE_DAMAGED",
      message: `The saved name table "${this.#path}" is not usable and is passed over: ` +
        reason.split("\n")[0].slice(0, 200),
      remedy: "The next table of the control plane replaces it.",
    };
  }

  /** Keeps a table at once; of those that come within two seconds after that, the last. */
  save(snapshot: TableSnapshot): void {
    this.#pending = snapshot;
    const sinceMs = this.#clock.monotonicMs() - this.#writtenMs;
    this.#cancel ??= this.#clock.schedule(COALESCE_MS - sinceMs, () => void this.flush());
  }

  /** Writes what waits to be written. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const snapshot = this.#pending;
    this.#pending = undefined;
    this.#writtenMs = this.#clock.monotonicMs();
    if (snapshot !== undefined) this.#writing = this.#writing.then(() => this.#write(snapshot));
    await this.#writing;
  }

  async #write({ bytes, version, receivedAtMs }: TableSnapshot): Promise<void> {
    const header = {
      format: `outrigger-name-table/${FORMAT}`,
      version,
      receivedAt: new Date(receivedAtMs).toISOString(),
      sha256: await sha256(bytes),
    };
    const line = new TextEncoder().encode(`${JSON.stringify(header)}\n`);
    const content = new Uint8Array(line.length + bytes.length);
    content.set(line);
    content.set(bytes, line.length);
    try {
      await this.#files.makeDirectory(this.#stateDir, { mode: 0o700 });
      await this.#files.writeAtomic(this.#path, content, { mode: 0o600 });
      this.#problem = undefined;
    } catch (error) {
      this.#problem = {
        code: "STATE_NOT_WRITABLE",
        message: `The name table cannot be kept in "${this.#path}": ${messageOf(error)}. It is ` +
          "served from memory, and lost at a restart",
        remedy: "Make stateDir writable for the agent's user, and see that the disk is not full.",
      };
    }
  }
}

/** Computed beside the event loop: a table of 100,000 names has 8 MB. */
async function sha256(bytes: Uint8Array): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>);
  return Buffer.from(digest).toString("hex");
}
