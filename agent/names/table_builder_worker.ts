/**
 * The program of the worker that builds large name tables.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { messageOf } from "../system/agent_error.ts";
import { serveRequests } from "../system/worker.ts";
import { type BuildAnswer, type BuildRequest, packSources } from "./table_builder.ts";

let pieces: Uint8Array[] = [];

serveRequests((message): BuildAnswer | undefined => {
  const request = message as BuildRequest;
  if ("piece" in request) {
    pieces.push(request.piece);
    return undefined;
  }
  const { files, options } = request;
  const pushed = Buffer.concat(pieces);
  pieces = [];
  try {
    const { buffer, ...packed } = packSources({ files, pushed }, options);
    // Memory that came here is known there; as it comes back it would be another object.
    return { ...packed, ...(buffer !== options.into && { buffer }) };
  } catch (error) {
    return { refused: messageOf(error) };
  }
});
