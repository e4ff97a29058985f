/**
 * One ADS stream: subscribes to the name table, hands each push on, and says ACK or NACK.
 *
 * @module
 */
import { type Client, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import type { HostEntry } from "../names/host_entry.ts";
import { messageOf } from "../system/agent_error.ts";
import {
  decodeNameTable,
  type DiscoveryNode,
  type DiscoveryRequest,
  type DiscoveryResponse,
  NAME_TABLE_TYPE_URL,
  STREAM_AGGREGATED_RESOURCES,
} from "./protocol.ts";

/** What becomes of a push. */
export type PushVerdict =
  /** It is in force: ACK. */
  | { accepted: true }
  /** It cannot be, and the one before stays: NACK. */
  | { accepted: false; reason: string };

/** A table as it came. */
export interface ReceivedTable {
  /** Its hosts. */
  entries: HostEntry[];
  /** Its encoding. */
  bytes: Uint8Array;
  /** Its version. */
  version: string;
}

/** What a stream is given. */
export interface NameTableStreamOptions {
  /** The channel. */
  client: Client;
  /** Who asks. */
  node: DiscoveryNode;
  /** Version accepted last; empty before the first. */
  version: string;
  /** Judges each table. */
  onTable(table: ReceivedTable): PushVerdict;
  /** Called for each table that is refused, with the reason. */
  onRefused(reason: string): void;
  /** Ends the stream. */
  signal: AbortSignal;
}

/**
 * Runs one stream to its end.
 *
 * @returns undefined when the control plane closed it in order or the signal ended it, else its error
 */
export function runNameTableStream(
  options: NameTableStreamOptions,
): Promise<ServiceError | undefined> {
  const { client, node, signal } = options;
  const { path, requestSerialize, responseDeserialize } = STREAM_AGGREGATED_RESOURCES;
  const metadata = new Metadata();
  metadata.set("ClusterID", String(node.metadata?.CLUSTER_ID ?? ""));
  const stream = client.makeBidiStreamRequest<DiscoveryRequest, DiscoveryResponse>(
    path,
    requestSerialize,
    responseDeserialize,
    metadata,
  );
  let accepted = options.version;
  const answer = (response: DiscoveryResponse, verdict: PushVerdict) => {
    if (verdict.accepted) accepted = response.versionInfo;
    else options.onRefused(verdict.reason);
    stream.write({
      typeUrl: NAME_TABLE_TYPE_URL,
      versionInfo: accepted,
      responseNonce: response.nonce,
      ...(!verdict.accepted && {
        errorDetail: { code: status.INVALID_ARGUMENT, message: verdict.reason },
      }),
    });
  };
  return new Promise((resolve) => {
    const abort = () => {
      stream.cancel();
      resolve(undefined);
    };
    signal.addEventListener("abort", abort, { once: true });
    const finish = (error?: ServiceError) => {
      signal.removeEventListener("abort", abort);
      resolve(error);
    };
    stream.on("data", (response: DiscoveryResponse) => answer(response, judge(response, options)));
    stream.on("error", (error: ServiceError) => finish(error));
    stream.on("end", () => {
      stream.end();
      finish();
    });
    stream.write({ node, typeUrl: NAME_TABLE_TYPE_URL, versionInfo: options.version });
    if (signal.aborted) abort();
  });
}

function judge(
  response: DiscoveryResponse,
  { onTable }: Pick<NameTableStreamOptions, "onTable">,
): PushVerdict {
  if (response.typeUrl !== NAME_TABLE_TYPE_URL) {
    return {
      accepted: false,
      reason: `type "${response.typeUrl.slice(0, 100)}" was not asked for`,
    };
  }
  const [resource, ...others] = response.resources;
  if (resource === undefined || others.length > 0) {
    return {
      accepted: false,
      reason: `${response.resources.length} name tables where one is expected`,
    };
  }
  if (resource.typeUrl !== NAME_TABLE_TYPE_URL) {
    return { accepted: false, reason: `a resource of type "${resource.typeUrl.slice(0, 100)}"` };
  }
  let entries: HostEntry[];
  try {
    entries = decodeNameTable(resource.value);
  } catch (error) {
    return { accepted: false, reason: `the name table is not readable: ${messageOf(error)}` };
  }
  return onTable({ entries, bytes: resource.value, version: response.versionInfo });
}
