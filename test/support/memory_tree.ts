/**
 * A file system in memory that can be killed between any two instructions and lose power: what was not
 * synced is gone then, folder by folder and file by file.
 *
 * @module
 */
import { dirname } from "node:path";
import type { FileTree, Ownership, TreeEntry } from "../../agent/system/file_tree.ts";

interface Node {
  id: number;
  type: TreeEntry["type"];
  mode: number;
  uid: number;
  gid: number;
  /** Of files. */
  bytes: Uint8Array<ArrayBuffer>;
  durableBytes: Uint8Array<ArrayBuffer>;
  /** Of links. */
  target: string;
  /** Of folders. */
  entries: Map<string, Node>;
  durableEntries: Map<string, Node>;
  /** Of files that were there from the start: stands for all that only the same file can have. */
  attributes: string;
}

/** What is there at the start: a text is a file, `-> TARGET` a link, undefined a folder. */
export type MemoryTreeStart = Record<string, string | undefined>;

/** A {@link FileTree} in memory. */
export class MemoryTree implements FileTree {
  /** Called before each instruction that changes something; may throw. */
  onInstruction: () => void = () => {};
  #ids = 0;
  readonly #root: Node = this.#node("directory");
  readonly #volatile: readonly string[];

  /** @param volatile folders that are empty after a power cut */
  constructor(start: MemoryTreeStart, { volatile = ["/run"] } = {}) {
    this.#volatile = volatile;
    for (const path of volatile) this.#folder(path);
    for (const [path, text] of Object.entries(start)) {
      if (text === undefined) this.#folder(path);
      else this.put(path, text);
    }
    this.settle();
  }

  /** Puts a file or link there as another program does: as a new one, durably. */
  put(path: string, text: string, mode = 0o644): void {
    const isLink = text.startsWith("-> ");
    const node = this.#node(isLink ? "link" : "file", isLink ? { mode: 0o777 } : { mode });
    if (isLink) node.target = text.slice(3);
    else node.bytes = node.durableBytes = new TextEncoder().encode(text);
    node.attributes = `file ${node.id}`;
    const folder = this.#folder(dirname(path));
    folder.entries.set(nameOf(path), node);
    folder.durableEntries.set(nameOf(path), node);
  }

  /** Changes what a file holds, as another program does. */
  write(path: string, text: string): void {
    const node = this.#at(path)!;
    node.bytes = node.durableBytes = new TextEncoder().encode(text);
  }

  /** Takes a file or link away, as another program does. */
  drop(path: string): void {
    this.#at(dirname(path))?.entries.delete(nameOf(path));
    this.#at(dirname(path))?.durableEntries.delete(nameOf(path));
  }

  /** Makes everything durable. */
  settle(node = this.#root): void {
    node.durableBytes = node.bytes;
    node.durableEntries = new Map(node.entries);
    for (const child of node.entries.values()) this.settle(child);
  }

  /** Loses what was not synced, where `loses` says so for a folder or file; all of it unless given. */
  cutPower(loses: () => boolean = () => true, node = this.#root): void {
    if (loses()) node.bytes = node.durableBytes;
    if (loses()) node.entries = new Map(node.durableEntries);
    for (const child of node.entries.values()) this.cutPower(loses, child);
    if (node !== this.#root) return;
    for (const path of this.#volatile) this.#at(path)?.entries.clear();
    this.settle();
  }

  /** All of it, as texts. */
  snapshot(node = this.#root, path = ""): Record<string, string> {
    const all: Record<string, string> = {};
    for (const [name, child] of [...node.entries].sort(([a], [b]) => a < b ? -1 : 1)) {
      const { type, mode, uid, gid, attributes, target, bytes } = child;
      const place = `${path}/${name}`;
      const content = type === "link" ? target : new TextDecoder().decode(bytes);
      all[place] = `${type} ${mode.toString(8)} ${uid}:${gid} ${attributes} ${content}`;
      Object.assign(all, this.snapshot(child, place));
    }
    return all;
  }

  /** The text of a file; links are followed. */
  text(path: string): string | undefined {
    const node = this.#followed(path);
    return node && new TextDecoder().decode(node.bytes);
  }

  async look(path: string): Promise<TreeEntry | undefined> {
    await Promise.resolve();
    const node = this.#at(path);
    if (node === undefined) return undefined;
    const { type, mode, uid, gid, id } = node;
    return { type, mode, uid, gid, inode: `${id}` };
  }

  async readBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
    await Promise.resolve();
    const node = this.#followed(path);
    if (node?.type !== "file") throw missing(path);
    return node.bytes.slice();
  }

  async readLink(path: string): Promise<string> {
    await Promise.resolve();
    return this.#at(path)!.target;
  }

  async list(path: string): Promise<string[]> {
    await Promise.resolve();
    const node = this.#at(path);
    if (node?.type !== "directory") throw missing(path);
    return [...node.entries.keys()].sort();
  }

  async create(path: string, content: Uint8Array, ownership: Ownership): Promise<void> {
    await this.#instruction();
    if (this.#at(path) !== undefined) throw new Deno.errors.AlreadyExists(path);
    const node = this.#node("file", { mode: 0o600 });
    this.#parent(path).entries.set(nameOf(path), node);
    await this.#instruction();
    node.bytes = new Uint8Array(content);
    await this.#instruction();
    Object.assign(node, { uid: 0, gid: 0, ...pick(ownership) });
    node.durableBytes = node.bytes;
  }

  async copy(from: string, path: string, ownership: Ownership): Promise<void> {
    await this.create(path, await this.readBytes(from), ownership);
  }

  async overwrite(path: string, content: Uint8Array): Promise<void> {
    const node = this.#followed(path)!;
    await this.#instruction();
    node.bytes = new Uint8Array();
    await this.#instruction();
    node.bytes = new Uint8Array(content.slice(0, content.length >> 1));
    await this.#instruction();
    node.bytes = node.durableBytes = new Uint8Array(content);
  }

  async makeLink(target: string, path: string): Promise<void> {
    await this.#instruction();
    if (this.#at(path) !== undefined) throw new Deno.errors.AlreadyExists(path);
    const node = this.#node("link", { mode: 0o777 });
    node.target = target;
    this.#parent(path).entries.set(nameOf(path), node);
  }

  async addName(path: string, name: string): Promise<void> {
    await this.#instruction();
    const node = this.#at(path);
    if (node === undefined) throw missing(path);
    if (this.#at(name) !== undefined) throw new Deno.errors.AlreadyExists(name);
    this.#parent(name).entries.set(nameOf(name), node);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#instruction();
    const node = this.#at(from);
    if (node === undefined) throw missing(from);
    if (this.#at(to) === node) return;
    this.#parent(from).entries.delete(nameOf(from));
    this.#parent(to).entries.set(nameOf(to), node);
  }

  async remove(path: string): Promise<void> {
    if (this.#at(path) === undefined) return;
    await this.#instruction();
    this.#parent(path).entries.delete(nameOf(path));
  }

  async makeDirectory(path: string, ownership: Ownership): Promise<void> {
    await this.#instruction();
    if (this.#at(path) !== undefined) throw new Deno.errors.AlreadyExists(path);
    const node = this.#node("directory", { mode: 0o700 });
    this.#parent(path).entries.set(nameOf(path), node);
    await this.#instruction();
    Object.assign(node, { uid: 0, gid: 0, ...pick(ownership) });
  }

  async removeDirectory(path: string): Promise<void> {
    if (this.#at(path)?.entries.size !== 0) return;
    await this.remove(path);
  }

  async removeTree(path: string): Promise<void> {
    const node = this.#at(path);
    if (node === undefined) return;
    for (const name of [...node.entries.keys()]) await this.removeTree(`${path}/${name}`);
    await this.remove(path);
  }

  async sync(path: string): Promise<void> {
    await this.#instruction();
    const node = this.#at(path);
    if (node === undefined) throw missing(path);
    node.durableEntries = new Map(node.entries);
  }

  exclusively<T>(_folder: string, act: () => Promise<T>): Promise<T> {
    return act();
  }

  async #instruction(): Promise<void> {
    await Promise.resolve();
    this.onInstruction();
  }

  #node(type: Node["type"], { mode = 0o755, uid = 0, gid = 0 } = {}): Node {
    const id = ++this.#ids;
    const [bytes, entries] = [new Uint8Array(), new Map()];
    return {
      ...{ id, type, mode, uid, gid, bytes, durableBytes: bytes, target: "", entries },
      ...{ durableEntries: new Map(), attributes: "" },
    };
  }

  /** Makes a folder and those above it, durably. */
  #folder(path: string): Node {
    if (path === "/") return this.#root;
    const present = this.#at(path);
    if (present !== undefined) return present;
    const node = this.#node("directory");
    const parent = this.#folder(dirname(path));
    parent.entries.set(nameOf(path), node);
    parent.durableEntries.set(nameOf(path), node);
    return node;
  }

  #at(path: string): Node | undefined {
    let node: Node | undefined = this.#root;
    for (const name of path.split("/").filter((name) => name !== "")) {
      node = node?.entries.get(name);
    }
    return node;
  }

  #followed(path: string): Node | undefined {
    const node = this.#at(path);
    if (node?.type !== "link") return node;
    const url = new URL(node.target, `file://${path}`);
    return this.#followed(url.pathname);
  }

  #parent(path: string): Node {
    const node = this.#at(dirname(path));
    if (node === undefined) throw missing(path);
    return node;
  }
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function pick({ mode, uid = 0, gid = 0 }: Ownership): Ownership {
  return { mode, uid, gid };
}

function missing(path: string): Error {
  return new Deno.errors.NotFound(`No such file or directory: "${path}"`);
}
