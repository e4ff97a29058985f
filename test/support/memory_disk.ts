/**
 * A disk in memory.
 *
 * @module
 */
import type { FileFacts, Files } from "../../agent/system/files.ts";
import type { Clock } from "../../agent/system/clock.ts";

interface MemoryFile {
  bytes: Uint8Array<ArrayBuffer>;
  mode: number;
  modifiedMs: number;
}

/** A {@link Files} without a kernel. Folders exist where a file lies in them. */
export class MemoryDisk implements Files {
  readonly #clock: Clock;
  readonly #files = new Map<string, MemoryFile>();
  readonly #watchers = new Set<{ path: string; onChange: () => void }>();

  /** @param clock dates the changes */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Puts a file there, as another program does. */
  write(path: string, content: string | Uint8Array, mode = 0o644): void {
    const bytes = typeof content === "string"
      ? new TextEncoder().encode(content)
      : new Uint8Array(content);
    this.#files.set(path, { bytes, mode, modifiedMs: this.#clock.wallMs() });
    this.#changed(path);
  }

  /** See {@link Files.readText}. */
  async readText(path: string): Promise<string> {
    return new TextDecoder().decode(await this.readBytes(path));
  }

  /** See {@link Files.readBytes}. */
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    const file = this.#files.get(path);
    return file === undefined
      ? Promise.reject(new Deno.errors.NotFound(`No such file or directory: "${path}"`))
      : Promise.resolve(file.bytes.slice());
  }

  /** See {@link Files.writeAtomic}. */
  writeAtomic(
    path: string,
    content: string | Uint8Array,
    options: { mode?: number } = {},
  ): Promise<void> {
    this.write(path, content, options.mode ?? 0o600);
    return Promise.resolve();
  }

  /** See {@link Files.stat}. */
  stat(path: string): Promise<FileFacts | undefined> {
    const file = this.#files.get(path);
    if (file !== undefined) {
      const { bytes, mode, modifiedMs } = file;
      return Promise.resolve({ mode, sizeBytes: bytes.length, modifiedMs, isDirectory: false });
    }
    const isDirectory = this.#below(path).length > 0;
    return Promise.resolve(
      isDirectory ? { mode: 0o755, sizeBytes: 0, modifiedMs: 0, isDirectory } : undefined,
    );
  }

  /** See {@link Files.list}. */
  list(path: string): Promise<string[]> {
    const below = this.#below(path);
    if (below.length === 0) {
      return Promise.reject(new Deno.errors.NotFound(`No such file or directory: "${path}"`));
    }
    const names = below.map((file) => file.slice(path.length + 1).split("/")[0]);
    return Promise.resolve([...new Set(names)].sort());
  }

  /** See {@link Files.makeDirectory}. */
  makeDirectory(): Promise<void> {
    return Promise.resolve();
  }

  /** See {@link Files.remove}. */
  remove(path: string): Promise<void> {
    if (this.#files.delete(path)) this.#changed(path);
    return Promise.resolve();
  }

  /** See {@link Files.rename}. */
  rename(from: string, to: string): Promise<void> {
    const file = this.#files.get(from);
    if (file === undefined) {
      return Promise.reject(new Deno.errors.NotFound(`No such file or directory: "${from}"`));
    }
    this.#files.delete(from);
    this.#files.set(to, file);
    this.#changed(from);
    this.#changed(to);
    return Promise.resolve();
  }

  /** See {@link Files.watch}. */
  watch(path: string, onChange: () => void, { signal }: { signal: AbortSignal }): void {
    if (!this.#files.has(path) && this.#below(path).length === 0) {
      throw new Deno.errors.NotFound(`No such file or directory: "${path}"`);
    }
    const watcher = { path, onChange };
    this.#watchers.add(watcher);
    signal.addEventListener("abort", () => this.#watchers.delete(watcher), { once: true });
  }

  #below(folder: string): string[] {
    return [...this.#files.keys()].filter((path) => path.startsWith(`${folder}/`));
  }

  #changed(path: string): void {
    for (const watcher of this.#watchers) {
      if (path !== watcher.path && !path.startsWith(`${watcher.path}/`)) continue;
      this.#clock.schedule(0, watcher.onChange);
    }
  }
}
