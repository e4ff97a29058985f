/**
 * Files, as a port. Owns every access to the disk. Writes are atomic and durable: readers see the old
 * content or the new one, also after a power cut.
 *
 * @module
 */
import { dirname } from "node:path";

/** What {@link Files.stat} tells. */
export interface FileFacts {
  /** Permission bits, e.g. 0o600. */
  mode: number;
  /** Size in octets. */
  sizeBytes: number;
  /** Last change of the content, milliseconds since 1970. */
  modifiedMs: number;
  /** Whether it is a folder. */
  isDirectory: boolean;
}

/** The disk. Every method throws the runtime's error with the path in its message. */
export interface Files {
  /** The content as UTF-8 text. */
  readText(path: string): Promise<string>;
  /** The content. */
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /**
   * Replaces the content atomically: temporary file beside it, sync, rename, sync of the folder.
   *
   * @param options `mode`: permission bits of the new file, 0o600 unless given
   */
  writeAtomic(
    path: string,
    content: string | Uint8Array,
    options?: { mode?: number },
  ): Promise<void>;
  /** Facts of a file or folder (symbolic links are followed), or undefined where there is none. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** The names in a folder, sorted. */
  list(path: string): Promise<string[]>;
  /** Makes a folder and those above it; no error where it exists. */
  makeDirectory(path: string, options?: { mode?: number }): Promise<void>;
  /** Removes a file; no error where there is none. */
  remove(path: string): Promise<void>;
  /** Renames within one file system, replacing what is there. */
  rename(from: string, to: string): Promise<void>;
  /**
   * Calls `onChange` after anything below a folder (or the file itself) changed, until `signal` is
   * aborted. Changes are not described: look again. May call without need.
   *
   * @param options `recursive`: also what lies in folders below, false unless given
   * @throws when the path does not exist
   */
  watch(
    path: string,
    onChange: () => void,
    options: { signal: AbortSignal; recursive?: boolean },
  ): void;
}

/** The disk of this machine. */
export const systemFiles: Files = {
  readText: (path) => Deno.readTextFile(path),
  readBytes: (path) => Deno.readFile(path),
  async writeAtomic(path, content, options) {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    const mode = options?.mode ?? 0o600;
    const temporary = `${path}.${crypto.randomUUID()}.tmp`;
    try {
      const file = await Deno.open(temporary, { write: true, createNew: true, mode });
      // The umask may have taken bits away that the caller wants.
      await Deno.chmod(temporary, mode);
      try {
        for (let written = 0; written < bytes.length;) {
          written += await file.write(bytes.subarray(written));
        }
        await file.sync();
      } finally {
        file.close();
      }
      await Deno.rename(temporary, path);
    } catch (error) {
      await Deno.remove(temporary).catch(() => {});
      throw error;
    }
    const folder = await Deno.open(dirname(path));
    try {
      await folder.sync();
    } finally {
      folder.close();
    }
  },
  async stat(path) {
    try {
      const info = await Deno.stat(path);
      return {
        mode: (info.mode ?? 0) & 0o7777,
        sizeBytes: info.size,
        modifiedMs: info.mtime?.getTime() ?? 0,
        isDirectory: info.isDirectory,
      };
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return undefined;
      throw error;
    }
  },
  async list(path) {
    const names = await Array.fromAsync(Deno.readDir(path), (entry) => entry.name);
    return names.sort();
  },
  makeDirectory: (path, options) => Deno.mkdir(path, { recursive: true, mode: options?.mode }),
  async remove(path) {
    try {
      await Deno.remove(path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  },
  rename: (from, to) => Deno.rename(from, to),
  watch(path, onChange, { signal, recursive = false }) {
    const watcher = Deno.watchFs(path, { recursive });
    const close = () => {
      try {
        watcher.close();
      } catch { /* the runtime closed it before us */ }
    };
    signal.addEventListener("abort", close, { once: true });
    if (signal.aborted) close();
    (async () => {
      for await (const event of watcher) {
        if (event.kind !== "access") onChange();
      }
    })().catch(() => {/* a watcher ends with its folder; callers also poll */});
  },
};

/** Makes a fresh folder for temporary files below the system's own and returns its path. */
export function makeTemporaryDirectory(prefix: string): Promise<string> {
  return Deno.makeTempDir({ prefix });
}

/** Removes a folder with all that it holds. */
export async function removeTree(path: string): Promise<void> {
  await Deno.remove(path, { recursive: true }).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
}
