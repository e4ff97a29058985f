/**
 * Files that are in memory only.
 *
 * @module
 */
import type { Files } from "../../agent/system/files.ts";

/** Texts by their path; folders are where files are. */
export class MemoryFiles implements Pick<Files, "readText" | "list" | "watch"> {
  readonly #texts = new Map<string, string>();
  readonly #watchers = new Map<string, Set<() => void>>();
  /** Folders that may not be listed. */
  readonly closed = new Set<string>();

  /** Starts with these. */
  constructor(texts: Record<string, string> = {}) {
    for (const [path, text] of Object.entries(texts)) this.#texts.set(path, text);
  }

  /** The folders that are watched now. */
  get watched(): string[] {
    return [...this.#watchers.keys()].sort();
  }

  /** Writes or, with undefined, removes a file; `told`: whether watchers hear of it. */
  write(path: string, text: string | undefined, { told = true } = {}): void {
    if (text === undefined) this.#texts.delete(path);
    else this.#texts.set(path, text);
    if (!told) return;
    for (const onChange of this.#watchers.get(path.slice(0, path.lastIndexOf("/"))) ?? []) {
      onChange();
    }
  }

  /** See {@link Files.readText}. */
  async readText(path: string): Promise<string> {
    await Promise.resolve();
    const text = this.#texts.get(path);
    if (text === undefined) throw new NotFound(`No such file: ${path}`);
    return text;
  }

  /** See {@link Files.list}. */
  async list(path: string): Promise<string[]> {
    await Promise.resolve();
    if (this.closed.has(path)) throw new Error(`Permission denied: ${path}`);
    const names = [...this.#texts.keys()]
      .filter((name) => name.startsWith(`${path}/`))
      .map((name) => name.slice(path.length + 1).split("/")[0]);
    if (names.length === 0) throw new NotFound(`No such folder: ${path}`);
    return [...new Set(names)].sort();
  }

  /** See {@link Files.watch}. */
  watch(path: string, onChange: () => void, { signal }: { signal: AbortSignal }): void {
    if (![...this.#texts.keys()].some((name) => name.startsWith(`${path}/`))) {
      throw new NotFound(`No such folder: ${path}`);
    }
    const watchers = this.#watchers.get(path) ?? new Set();
    this.#watchers.set(path, watchers.add(onChange));
    signal.addEventListener("abort", () => this.#watchers.delete(path), { once: true });
  }
}

/** What the runtime throws where there is nothing. */
class NotFound extends Error {
  override name = "NotFound";
}
