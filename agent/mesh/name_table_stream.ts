/**
 * One ADS stream: subscribes to the name table, hands each push on, and says ACK or NACK.
 *
 * @module
 */
import { type Client, Metadata, type ServiceError, status } from "@grpc/grpc-js";
import {
  type DiscoveryNode,
  type DiscoveryRequest,
  type DiscoveryResponse,
  NAME_TABLE_TYPE_URL,
  STREAM_AGGREGATED_RESOURCES,
} from "./protocol.ts";
import type { PushVerdict } from "./saved_table.ts";

/** A table as it came. */
export interface ReceivedTable {
  /** The encoded NameTable, which nobody has looked into. */
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
  /** Judges each table; the next one is not read before that is done. */
  onTable(table: ReceivedTable): Promise<PushVerdict>;
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
  let ended = false;
  const answer = (response: DiscoveryResponse, verdict: PushVerdict) => {
    if (ended) return;
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
    let judging = Promise.resolve();
    const finish = (error?: ServiceError) => {
      ended = true;
      signal.removeEventListener("abort", abort);
      void judging.then(() => resolve(error));
    };
    const abort = () => {
      stream.cancel();
      finish();
    };
    signal.addEventListener("abort", abort, { once: true });
    stream.on("data", (response: DiscoveryResponse) => {
      // What comes meanwhile waits at istiod, which merges pushes that it cannot get rid of.
      stream.pause();
      judging = judge(response, options).then((verdict) => {
        answer(response, verdict);
        stream.resume();
      });
    });
    stream.on("error", (error: ServiceError) => finish(error));
    stream.on("end", () => {
      stream.end();
      finish();
    });
    stream.write({ node, typeUrl: NAME_TABLE_TYPE_URL, versionInfo: options.version });
    if (signal.aborted) abort();
  });
}

async function judge(
  response: DiscoveryResponse,
  { onTable }: Pick<NameTableStreamOptions, "onTable">,
): Promise<PushVerdict> {
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
  return await onTable({ bytes: resource.value, version: response.versionInfo });
}
