/**
 * Where name tables are built: small ones in place, large ones in a worker, so that a push of 100,000
 * names holds nothing up. The worker lives as long as there is something to build: an isolate takes
 * 17 MB.
 *
 * @module
 */
import { messageOf } from "../system/agent_error.ts";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/log.ts";
import type { RunningWorker, StartWorker } from "../system/worker.ts";
import type { HostEntry } from "./host_entry.ts";
import { decodeNameTable } from "./name_table_message.ts";
import { type PackedTable, type PackOptions, packTable, type RejectedEntry } from "./pack_table.ts";

/** What a table is made from. */
export interface TableSources {
  /** Names of static files. */
  files?: readonly HostEntry[];
  /** What the control plane pushed: an encoded NameTable. */
  pushed?: Uint8Array;
}

/** Builds tables. */
export interface TableBuilder {
  /**
   * Builds one. Static names come first: what an operator wrote on this VM stands above what is pushed.
   *
   * @throws {Error} where the push is not readable, or the table would be too large
   */
  build(sources: TableSources, options: PackOptions): Promise<PackedTable>;
}

/** What the worker is asked for. */
export type BuildRequest =
  /** To keep a piece of the push. */
  | { piece: Uint8Array }
  /** To build a table of the pieces and of files. */
  | { files?: readonly HostEntry[]; options: PackOptions };

/** What it answers to the latter. */
export type BuildAnswer =
  /** A table; without `buffer`, it lies where it was asked to be. */
  | { buffer?: SharedArrayBuffer; rejected: RejectedEntry[]; rejectedTotal: number }
  /** What {@link TableBuilder.build} throws, as its message. */
  | { refused: string };

/**
 * Up to this size a table of some 6,000 names is built in place, which takes 15 ms: to start a worker
 * holds the main thread up for as long.
 */
const IN_PLACE_OCTETS = 500_000;
/** What a host of a static file counts for: in a push it has some 80 octets. */
const FILE_HOST_OCTETS = 80;
/** A push is copied for the worker in pieces: 8 MB at one go would hold the main thread up for 6 ms. */
const PIECE_OCTETS = 1 << 20;
/** The worker ends when nothing follows for so long, in milliseconds. */
const WORKER_IDLE_MS = 5_000;

/** Builds a table here and now; see {@link TableBuilder.build}. */
export function packSources(sources: TableSources, options: PackOptions): PackedTable {
  return packTable(entriesOf(sources), options);
}

function* entriesOf({ files = [], pushed }: TableSources): Generator<HostEntry> {
  yield* files;
  if (pushed !== undefined) yield* decodeNameTable(pushed);
}

/** Builds tables on this machine. */
export class SystemTableBuilder implements TableBuilder {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #startWorker: StartWorker;
  #worker: RunningWorker | undefined;
  #building: Promise<unknown> = Promise.resolve();
  #cancelEnd: () => void = () => {};
  #complained = false;

  /** Wires the parts; starts nothing. */
  constructor(options: { clock: Clock; log: Logger; startWorker: StartWorker }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#startWorker = options.startWorker;
  }

  /** See {@link TableBuilder.build}. */
  async build(sources: TableSources, options: PackOptions): Promise<PackedTable> {
    if (isSmall(sources)) return packSources(sources, options);
    const asking = this.#building.then(() => this.#ask(sources, options));
    this.#building = asking;
    const answer = await asking;
    if (answer === undefined) return packSources(sources, options);
    if ("refused" in answer) throw new Error(answer.refused);
    return { ...answer, buffer: answer.buffer ?? options.into! };
  }

  /** Ends the worker, if there is one. */
  close(): void {
    this.#cancelEnd();
    this.#worker?.close();
    this.#worker = undefined;
  }

  /** Asks the worker; undefined where there is none to be had. */
  async #ask(
    { files, pushed }: TableSources,
    options: PackOptions,
  ): Promise<BuildAnswer | undefined> {
    this.#cancelEnd();
    try {
      const worker = this.#worker ??= this.#startWorker(
        new URL("./table_builder_worker.ts", import.meta.url),
      );
      for (let at = 0; pushed !== undefined && at < pushed.length; at += PIECE_OCTETS) {
        // Not slice(), which gives a view where this is a Buffer.
        const piece = new Uint8Array(pushed.subarray(at, at + PIECE_OCTETS));
        await worker.request({ piece } satisfies BuildRequest, [piece.buffer]);
      }
      const request: BuildRequest = { files, options };
      const answer = await worker.request(request) as BuildAnswer;
      this.#cancelEnd = this.#clock.schedule(WORKER_IDLE_MS, () => this.close());
      return answer;
    } catch (error) {
      this.close();
      if (!this.#complained) {
        this.#log.warn("No worker is to be had: name tables are built on the main thread", {
          reason: messageOf(error),
        });
      }
      this.#complained = true;
      return undefined;
    }
  }
}

function isSmall({ files = [], pushed }: TableSources): boolean {
  return files.length * FILE_HOST_OCTETS + (pushed?.length ?? 0) <= IN_PLACE_OCTETS;
}
