/**
 * Where the names in force come from: static files and pushes of the control plane, merged into one
 * table. A change of either makes a new table; the other part stays as it was.
 *
 * @module
 */
import type { HostEntry } from "../names/host_entry.ts";
import { NameTable, type RejectedEntry } from "../names/name_table.ts";

/** What a merged table is built with. */
export interface NameSourcesOptions {
  /** Canonical cluster domain. */
  clusterDomain: string;
  /** See `names.exclude`. */
  exclude: readonly string[];
  /** Whether a control plane is configured: until its first table, what is not known may yet come. */
  expectsPush: boolean;
}

/** One push, or the saved one of before. */
export interface PushedNames {
  /** The hosts. */
  entries: HostEntry[];
  /** Version that the control plane gave. */
  version: string;
  /** Whether it came just now or from the disk. */
  origin: "control-plane" | "disk";
  /** When it was received, milliseconds since 1970. */
  receivedAtMs: number;
}

/** Merges the sources of names. */
export class NameSources {
  #options: NameSourcesOptions;
  #fromFiles: HostEntry[] = [];
  #hasFiles = false;
  #pushed: PushedNames | undefined;
  #table: NameTable;
  #rejected: RejectedEntry[] = [];

  /** Starts with no names at all. */
  constructor(options: NameSourcesOptions) {
    this.#options = options;
    this.#table = NameTable.build([], options).table;
  }

  /** Puts other options in force. */
  configure(options: NameSourcesOptions): void {
    this.#options = options;
    if (!options.expectsPush) this.#pushed = undefined;
    this.#build();
  }

  /** Replaces the names of static files; undefined where none are configured. */
  replaceFiles(entries: HostEntry[] | undefined): void {
    this.#hasFiles = entries !== undefined;
    this.#fromFiles = entries ?? [];
    this.#build();
  }

  /** Whether names of static files are in force. */
  get hasFiles(): boolean {
    return this.#hasFiles;
  }

  /**
   * Replaces the names of the control plane.
   *
   * @returns false, with nothing changed, when there are entries and not one of them can be served:
   * that is a broken push, and the names of before are better
   */
  replacePushed(pushed: PushedNames): boolean {
    const before = this.#pushed;
    this.#pushed = pushed;
    const fromFiles = this.#fromFiles.length;
    this.#build();
    if (pushed.entries.length === 0 || this.#table.size > 0 || fromFiles > 0) return true;
    this.#pushed = before;
    this.#build();
    return false;
  }

  /** The merged table. */
  get table(): NameTable {
    return this.#table;
  }

  /** False until the first table of a control plane that is configured: the table may lack names. */
  get complete(): boolean {
    return this.#pushed !== undefined || !this.#options.expectsPush;
  }

  /** The push in force. */
  get pushed(): PushedNames | undefined {
    return this.#pushed;
  }

  /** Entries that were left out of the table. */
  get rejected(): readonly RejectedEntry[] {
    return this.#rejected;
  }

  /** `control-plane`, `disk`, `files`, `control-plane+files`, `disk+files` or `none`. */
  get origin(): string {
    const origins = [this.#pushed?.origin, this.#hasFiles ? "files" : undefined];
    return origins.filter((origin) => origin !== undefined).join("+") || "none";
  }

  /** Static names come first: what an operator wrote on this VM stands above what is pushed. */
  #build(): void {
    const entries = [...this.#fromFiles, ...this.#pushed?.entries ?? []];
    const { table, rejected } = NameTable.build(entries, this.#options);
    this.#table = table;
    this.#rejected = rejected;
  }
}
