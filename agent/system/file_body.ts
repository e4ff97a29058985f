/**
 * Files that are too large to be held in memory: their content as a stream, and its sum.
 *
 * @module
 */
import { createHash } from "node:crypto";

/** Content of a file that is sent. */
export interface FileBody {
  /** Size in octets. */
  sizeBytes: number;
  /** The content; it must be read to its end or cancelled. */
  stream: ReadableStream<Uint8Array<ArrayBuffer>>;
}

/** Opens a file. @throws the runtime's error */
export async function openFileBody(path: string): Promise<FileBody> {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  return { sizeBytes: size, stream: file.readable };
}

/** The SHA-256 of a file's content, hexadecimal. @throws the runtime's error */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of (await openFileBody(path)).stream) hash.update(chunk);
  return hash.digest("hex");
}
