/**
 * Where the names in force come from: static files and pushes of the control plane, merged into one
 * table. A change of either makes a new table; the other part stays as it was.
 *
 * Lookups go on in the table before while one is built. Changes follow one another. The memory of a
 * table that is out of force is used again for a later one, when nobody reads it any more.
 *
 * @module
 */
import type { NameTablePush, PushVerdict } from "../mesh/saved_table.ts";
import type { HostEntry } from "../names/host_entry.ts";
import { NameTable } from "../names/name_table.ts";
import type { RejectedEntry, TableOptions } from "../names/pack_table.ts";
import { packSources, type TableBuilder } from "../names/table_builder.ts";
import { TableMemory } from "../names/table_memory.ts";
import { messageOf } from "../system/agent_error.ts";
import type { Random } from "../system/random.ts";

/** What a merged table is built with. */
export interface NameSourcesOptions extends TableOptions {
  /** Whether a control plane is configured: until its first table, what is not known may yet come. */
  expectsPush: boolean;
}

/** What {@link NameSources} needs. */
export interface NameSourcesParts {
  /** Builds the tables. */
  builder: TableBuilder;
  /** Seeds their hashes. */
  random: Random;
  /** Whether somebody still reads a table that is out of force. */
  isInUse(buffer: SharedArrayBuffer): boolean;
}

/** What a table is made from. */
interface Sources {
  options: NameSourcesOptions;
  /** Undefined where no files are configured. */
  files?: readonly HostEntry[];
  pushed?: NameTablePush;
}

/** A table, and what was left out of it. */
interface BuiltTable {
  table: NameTable;
  /** The first ones. */
  rejected: readonly RejectedEntry[];
  rejectedTotal: number;
}

/** Merges the sources of names. */
export class NameSources {
  readonly #builder: TableBuilder;
  readonly #memory: TableMemory;
  readonly #seed: number;
  #sources: Sources;
  #built: BuiltTable;
  #changing: Promise<unknown> = Promise.resolve();

  /** Starts with no names at all. */
  constructor(options: NameSourcesOptions, { builder, random, isInUse }: NameSourcesParts) {
    this.#builder = builder;
    this.#memory = new TableMemory(isInUse);
    this.#seed = random.uint16() << 16 | random.uint16();
    this.#sources = { options };
    const packed = packSources({}, { ...options, seed: this.#seed });
    this.#built = { ...packed, table: new NameTable(packed.buffer) };
  }

  /** Puts other options in force. */
  async configure(options: NameSourcesOptions): Promise<void> {
    await this.#change(({ files, pushed }) => ({
      options,
      files,
      ...(options.expectsPush && { pushed }),
    }));
  }

  /** Replaces the names of static files; undefined where none are configured. */
  async replaceFiles(files: readonly HostEntry[] | undefined): Promise<void> {
    await this.#change((sources) => ({ ...sources, files }));
  }

  /**
   * Replaces the names of the control plane. Refused, with nothing changed, is a push that is not
   * readable, and one that has entries of which not one can be served: the names of before are better.
   */
  async replacePushed(pushed: NameTablePush): Promise<PushVerdict> {
    try {
      const changed = await this.#change(
        (sources) => ({ ...sources, pushed }),
        ({ table, rejectedTotal }) => table.size > 0 || rejectedTotal === 0,
      );
      return changed
        ? { accepted: true }
        : { accepted: false, reason: "no entry of the table can be served" };
    } catch (error) {
      return { accepted: false, reason: `the name table is not readable: ${messageOf(error)}` };
    }
  }

  /** The merged table. */
  get table(): NameTable {
    return this.#built.table;
  }

  /** False until the first table of a control plane that is configured: the table may lack names. */
  get complete(): boolean {
    return this.#sources.pushed !== undefined || !this.#sources.options.expectsPush;
  }

  /** The push in force. */
  get pushed(): NameTablePush | undefined {
    return this.#sources.pushed;
  }

  /** Whether names of static files are in force. */
  get hasFiles(): boolean {
    return this.#sources.files !== undefined;
  }

  /** Entries that were left out of the table: the first {@link REJECTED_KEPT}. */
  get rejected(): readonly RejectedEntry[] {
    return this.#built.rejected;
  }

  /** How many were left out. */
  get rejectedTotal(): number {
    return this.#built.rejectedTotal;
  }

  /** `control-plane`, `disk`, `files`, `control-plane+files`, `disk+files` or `none`. */
  get origin(): string {
    const origins = [this.pushed?.origin, this.hasFiles ? "files" : undefined];
    return origins.filter((origin) => origin !== undefined).join("+") || "none";
  }

  /** Puts what `next` makes of the sources in force, after the changes before, where `accepts` it. */
  #change(
    next: (sources: Sources) => Sources,
    accepts: (built: BuiltTable) => boolean = () => true,
  ): Promise<boolean> {
    const change = this.#changing.then(() => this.#build(next(this.#sources), accepts));
    this.#changing = change.catch(() => {});
    return change;
  }

  async #build(sources: Sources, accepts: (built: BuiltTable) => boolean): Promise<boolean> {
    const { options, files, pushed } = sources;
    const into = this.#memory.take(this.#built.table.octets);
    try {
      const packed = await this.#builder.build(
        { files, pushed: pushed?.bytes },
        { ...options, seed: this.#seed, into },
      );
      const built = { ...packed, table: new NameTable(packed.buffer) };
      if (!accepts(built)) return false;
      this.#memory.release(this.#built.table.buffer);
      this.#sources = sources;
      this.#built = built;
      return true;
    } finally {
      if (into !== undefined && into !== this.#built.table.buffer) this.#memory.release(into);
    }
  }
}
