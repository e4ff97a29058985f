/**
 * The file system as an administrator sees it, as a port: links, owners and modes, changed by single
 * instructions of which each is made durable by its caller. What only reads and writes whole files takes
 * {@link file://./files.ts Files} instead.
 *
 * @module
 */

/** What lies at a path; symbolic links are not followed. */
export interface TreeEntry {
  /** What it is. */
  type: "file" | "directory" | "link" | "other";
  /** Permission bits, e.g. 0o644. */
  mode: number;
  /** Owner. */
  uid: number;
  /** Group. */
  gid: number;
  /** The same text for two names of one file. */
  inode: string;
}

/** Whose a new file or folder is, and who may use it. */
export interface Ownership {
  /** Permission bits, whatever the umask is. */
  mode: number;
  /** Owner, root unless given. */
  uid?: number;
  /** Group, root's unless given. */
  gid?: number;
}

/** The file system. Every method throws the runtime's error with the path in its message. */
export interface FileTree {
  /** What lies at a path, or undefined. */
  look(path: string): Promise<TreeEntry | undefined>;
  /** The content of a file; links are followed. */
  readBytes(path: string): Promise<Uint8Array<ArrayBuffer>>;
  /** Where a symbolic link leads, as it is written. */
  readLink(path: string): Promise<string>;
  /** The names in a folder, sorted. */
  list(path: string): Promise<string[]>;
  /** Makes a file that was not there; its content is durable, its name not before {@link sync}. */
  create(path: string, content: Uint8Array, ownership: Ownership): Promise<void>;
  /** The same with the content of another file. */
  copy(from: string, path: string, ownership: Ownership): Promise<void>;
  /** Writes anew what a file holds: the file stays the same one. Readers may see a part of it. */
  overwrite(path: string, content: Uint8Array): Promise<void>;
  /** Makes a symbolic link. */
  makeLink(target: string, path: string): Promise<void>;
  /** Gives a file, or a symbolic link itself, a second name on the same file system. */
  addName(path: string, name: string): Promise<void>;
  /** Renames, replacing what is there; with two names of one file it does nothing (POSIX). */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file or link; no error where there is none. */
  remove(path: string): Promise<void>;
  /** Makes a folder whose parent is there. */
  makeDirectory(path: string, ownership: Ownership): Promise<void>;
  /** Removes a folder if it is there and empty. */
  removeDirectory(path: string): Promise<void>;
  /** Removes a folder with all that it holds; no error where there is none. */
  removeTree(path: string): Promise<void>;
  /** Makes the names in a folder durable. */
  sync(folder: string): Promise<void>;
  /** Acts while no other process does that holds the same folder; waits for its turn. */
  exclusively<T>(folder: string, act: () => Promise<T>): Promise<T>;
}

/** The file system of this machine. */
export const systemFileTree: FileTree = {
  async look(path) {
    const info = await unlessMissing(Deno.lstat(path));
    if (info === undefined) return undefined;
    const type = info.isSymlink
      ? "link"
      : info.isFile
      ? "file"
      : info.isDirectory
      ? "directory"
      : "other";
    return {
      type,
      mode: (info.mode ?? 0) & 0o7777,
      uid: info.uid ?? 0,
      gid: info.gid ?? 0,
      inode: `${info.dev}:${info.ino}`,
    };
  },
  readBytes: (path) => Deno.readFile(path),
  readLink: (path) => Deno.readLink(path),
  list: async (path) => (await Array.fromAsync(Deno.readDir(path), ({ name }) => name)).sort(),
  async create(path, content, ownership) {
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    for (let written = 0; written < content.length;) {
      written += await file.write(content.subarray(written));
    }
    await own(path, ownership);
    await file.sync();
  },
  async copy(from, path, ownership) {
    using source = await Deno.open(from);
    using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
    await source.readable.pipeTo(file.writable, { preventClose: true });
    await own(path, ownership);
    await file.sync();
  },
  async overwrite(path, content) {
    using file = await Deno.open(path, { write: true, truncate: true });
    for (let written = 0; written < content.length;) {
      written += await file.write(content.subarray(written));
    }
    await file.sync();
  },
  makeLink: (target, path) => Deno.symlink(target, path),
  addName: (path, name) => Deno.link(path, name),
  rename: (from, to) => Deno.rename(from, to),
  remove: async (path) => void await unlessMissing(Deno.remove(path)),
  async makeDirectory(path, ownership) {
    await Deno.mkdir(path, { mode: 0o700 });
    await own(path, ownership);
  },
  async removeDirectory(path) {
    const names = await unlessMissing(Array.fromAsync(Deno.readDir(path)));
    if (names?.length === 0) await Deno.remove(path);
  },
  removeTree: async (path) => void await unlessMissing(Deno.remove(path, { recursive: true })),
  async sync(path) {
    using folder = await Deno.open(path);
    await folder.sync();
  },
  async exclusively(path, act) {
    using folder = await Deno.open(path);
    // Ends with this process, whatever becomes of it; but not always with the file's close().
    await folder.lock(true);
    try {
      return await act();
    } finally {
      await folder.unlock();
    }
  },
};

async function own(path: string, { mode, uid = 0, gid = 0 }: Ownership): Promise<void> {
  await Deno.chown(path, uid, gid);
  // After the owner: a change of that takes set-user-ID bits away.
  await Deno.chmod(path, mode);
}

async function unlessMissing<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
