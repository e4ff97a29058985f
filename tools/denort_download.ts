/**
 * Deno's own download of the base binary (`denort`), as `deno compile` would make it, but to be had: the
 * compiler keeps its own to itself, with all symbols.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { findSum } from "../agent/downloads.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import { cacheFolder } from "./cache_folder.ts";
import { keptFile } from "./kept_file.ts";

/** Where Deno's releases are. */
const RELEASES = "https://dl.deno.land/release";
/** How long the sum may take, some hundred octets: who has no way there should know soon. */
const SUM_TIMEOUT_MS = 20_000;
/** How long the archive may take, some 40 MB. */
const ARCHIVE_TIMEOUT_MS = 300_000;

/** Method of a ZIP archive. */
const DEFLATED = 8;

/** Deno's releases cannot be reached from here, or have no base binary for the target. */
export class DownloadError extends Error {}

/**
 * The base binary of this version of Deno. Its archive is kept in the user's cache folder, and held against
 * the sum that Deno publishes at each use.
 *
 * @param target what the binary is for
 * @param options `releases` is the address of Deno's releases, `folder` where the archive is kept
 * @throws {DownloadError} when there is none to be had
 * @throws when what was downloaded is not what it must be
 */
export async function downloadedBase(
  target: string,
  { releases = RELEASES, folder = cacheFolder("denort") }: {
    releases?: string;
    folder?: string;
  } = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { deno } = Deno.version;
  const name = `denort-${target}.zip`;
  const url = `${releases}/v${deno}/${name}`;
  const sums = new TextDecoder().decode(await download(`${url}.sha256sum`, SUM_TIMEOUT_MS));
  const sha256 = findSum(sums, name);
  if (sha256 === undefined) throw new Error(`${url}.sha256sum has no sum of it: "${sums.trim()}"`);
  const archive = await keptFile(join(folder, `${deno}-${name}`), {
    sha256,
    make: () => download(url, ARCHIVE_TIMEOUT_MS),
  });
  return unzipped(archive, "denort");
}

async function download(url: string, timeoutMs: number): Promise<Uint8Array<ArrayBuffer>> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    if (response.ok) return await response.bytes();
    await response.body?.cancel();
    throw new Error(`status ${response.status}`);
  } catch (error) {
    const message = messageOf(error);
    throw new DownloadError(message.includes(url) ? message : `${url}: ${message}`);
  }
}

/**
 * The first file of a ZIP archive, which must have this name.
 *
 * (PKWARE's APPNOTE, 4.3.16: the end of the archive has at 16 where the directory is. 4.3.12: an entry of it
 * has at 10 the method, at 20 the packed size, at 28 the name's length, at 42 where the file is, at 46 the
 * name. 4.3.7: before the file's content are 30 octets and, of lengths at 26 and 28, its name and more.)
 */
function unzipped(archive: Uint8Array<ArrayBuffer>, name: string): Uint8Array<ArrayBuffer> {
  const zip = Buffer.from(archive.buffer, archive.byteOffset, archive.length);
  const entry = zip.readUInt32LE(zip.lastIndexOf("PK\x05\x06") + 16);
  const method = zip.readUInt16LE(entry + 10);
  const found = zip.toString("utf8", entry + 46, entry + 46 + zip.readUInt16LE(entry + 28));
  if (method !== DEFLATED || found !== name) {
    throw new Error(`This is no ZIP archive that begins with ${name}, deflated`);
  }
  const fileAt = zip.readUInt32LE(entry + 42);
  const contentAt = fileAt + 30 + zip.readUInt16LE(fileAt + 26) + zip.readUInt16LE(fileAt + 28);
  const content = zip.subarray(contentAt, contentAt + zip.readUInt32LE(entry + 20));
  return new Uint8Array(inflateRawSync(content));
}
