/**
 * The folder of objects: one sub-folder a cluster, files directly in it belong to the cluster
 * `Kubernetes`. Watched; a file that cannot be read or is broken keeps the objects it had before, and is
 * reported with its line.
 *
 * @module
 */
import { join } from "node:path";
import type { ClusterObjects } from "../agent/names/host_entries.ts";
import { formatProblem, parseManifest } from "../agent/names/manifest.ts";
import type { MeshObject } from "../agent/names/mesh_object.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import type { Clock } from "../agent/system/clock.ts";
import type { Files } from "../agent/system/files.ts";
import type { Logger } from "../agent/system/log.ts";
import { ConfigDirError } from "./errors.ts";

/** What a {@link ConfigDir} needs. */
export interface ConfigDirOptions {
  /** The folder. */
  path: string;
  /** Reads and watches it. */
  files: Files;
  /** Gathers changes. */
  clock: Clock;
  /** For broken files. */
  log: Logger;
  /** Called after each change of the objects. */
  onChange: () => void;
}

/** Cluster of the files that lie in no sub-folder: Istio's default name. */
const DEFAULT_CLUSTER = "Kubernetes";
/** How long changes are gathered, in milliseconds: an editor makes several in a row. */
const SETTLE_MS = 50;
/** How often the folder is read without a change being told: watching can miss some. */
const POLL_MS = 5_000;

interface KnownFile {
  cluster: string;
  /** Text that was read last; the objects may be of an earlier one. */
  text: string | undefined;
  objects: MeshObject[];
  problems: string[];
}

/** The objects of a watched folder. */
export class ConfigDir {
  readonly #options: ConfigDirOptions;
  #files = new Map<string, KnownFile>();
  #cancel: (() => void) | undefined;
  #reading: Promise<void> = Promise.resolve();

  /** Wires the parts; {@link start} reads. */
  constructor(options: ConfigDirOptions) {
    this.#options = options;
  }

  /**
   * Reads the folder, and again after each change until `signal` is aborted.
   *
   * @throws {ConfigDirError} when the folder cannot be read now
   */
  async start(signal: AbortSignal): Promise<void> {
    const { path, files } = this.#options;
    try {
      // Watched before it is read: a change in between is not missed.
      files.watch(path, () => this.#schedule(SETTLE_MS, signal), { signal, recursive: true });
      await this.#read();
    } catch (cause) {
      throw new ConfigDirError(path, cause);
    }
    signal.addEventListener("abort", () => this.#cancel?.(), { once: true });
    this.#schedule(POLL_MS, signal);
  }

  /** The objects by cluster. */
  clusters(): ClusterObjects[] {
    const byCluster = Map.groupBy(this.#files.values(), ({ cluster }) => cluster);
    return [...byCluster].map(([cluster, files]) => ({
      cluster,
      objects: files.flatMap(({ objects }) => objects),
    }));
  }

  /** What is wrong now, `FILE:LINE: what`. */
  problems(): string[] {
    return [...this.#files.values()].flatMap(({ problems }) => problems);
  }

  /** Resolves once what was going on when it was called is read. */
  settled(): Promise<void> {
    return this.#reading;
  }

  #schedule(delayMs: number, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#cancel?.();
    this.#cancel = this.#options.clock.schedule(delayMs, () => {
      this.#reading = this.#reading.then(async () => {
        try {
          if (await this.#read()) this.#options.onChange();
        } catch (error) {
          this.#options.log.warn("The folder of objects cannot be read; the last objects stay", {
            path: this.#options.path,
            reason: messageOf(error),
          });
        }
        this.#schedule(POLL_MS, signal);
      });
    });
  }

  /** Reads every file that changed; returns whether any object may have. */
  async #read(): Promise<boolean> {
    const found = await this.#list();
    const next = new Map<string, KnownFile>();
    let changed = [...this.#files.keys()].some((path) => !found.has(path));
    for (const [path, cluster] of found) {
      const before = this.#files.get(path);
      const file = await this.#readFile(path, cluster, before);
      changed ||= file !== before;
      next.set(path, file);
    }
    this.#files = next;
    return changed;
  }

  async #readFile(
    path: string,
    cluster: string,
    before: KnownFile | undefined,
  ): Promise<KnownFile> {
    let text: string;
    try {
      text = await this.#options.files.readText(path);
    } catch (error) {
      const problem = `${path}: cannot be read: ${messageOf(error)}`;
      if (before?.problems.includes(problem)) return before;
      const file = { cluster, text: undefined, objects: [], problems: [problem] };
      return this.#keepObjects(file, path, before);
    }
    if (before !== undefined && before.text === text) return before;
    const { objects, problems } = parseManifest(text, { file: path });
    if (problems.length === 0) {
      if (before !== undefined && before.problems.length > 0) {
        this.#options.log.info("A file of objects is whole again", { path });
      }
      return { cluster, text, objects, problems: [] };
    }
    const file = { cluster, text, objects, problems: problems.map(formatProblem) };
    return this.#keepObjects(file, path, before);
  }

  /**
   * A broken file keeps all the objects that it had when it was last whole; where that was never, those
   * of its objects that are good are better than none.
   */
  #keepObjects(file: KnownFile, path: string, before: KnownFile | undefined): KnownFile {
    const objects = before?.objects ?? file.objects;
    this.#options.log.warn("A file of objects is broken; its last good objects stay in force", {
      path,
      problems: file.problems.slice(0, 5),
      objects: objects.length,
    });
    return { ...file, objects };
  }

  /** Paths of the manifests with their cluster. */
  async #list(): Promise<Map<string, string>> {
    const { path: root, files } = this.#options;
    const found = new Map<string, string>();
    for (const name of await files.list(root)) {
      const path = join(root, name);
      if (name.startsWith(".")) continue;
      const facts = await files.stat(path);
      if (!facts?.isDirectory) {
        if (isManifest(name)) found.set(path, DEFAULT_CLUSTER);
        continue;
      }
      for (const inner of await files.list(path)) {
        if (isManifest(inner)) found.set(join(path, inner), name);
      }
    }
    return found;
  }
}

/** Manifests by ending; what editors leave beside them (`.x.swp`, `x.yaml~`, `x.yaml.tmp`) is none. */
function isManifest(name: string): boolean {
  return !name.startsWith(".") && /\.(ya?ml|json)$/.test(name);
}
