/**
 * The aggregated discovery service, for name tables: each stream gets the table of its caller, and the
 * newest one after each change. One push at a time is under way on a stream; what changes meanwhile goes
 * out once the agent has said what it makes of it.
 *
 * @module
 */
import { type ServerDuplexStream, status } from "@grpc/grpc-js";
import {
  type DiscoveryRequest,
  type DiscoveryResponse,
  NAME_TABLE_TYPE_URL,
} from "../agent/mesh/protocol.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import type { Logger } from "../agent/system/log.ts";
import { identifyCaller } from "./caller_identity.ts";
import type { MeshState, Viewer } from "./mesh_state.ts";

/** What the service needs. */
export interface DiscoveryServiceOptions {
  /** The mesh at first. */
  state: MeshState;
  /** E.g. `cluster.local`. */
  trustDomain: string;
  /** One line a stream, and one a refused table. */
  log: Logger;
}

type Stream = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** One agent that listens. */
interface Subscriber {
  stream: Stream;
  node: string;
  viewer: Viewer;
  /** The encoding that was sent last. */
  sent: Uint8Array | undefined;
  /** Nonce of the push that waits for its ACK or NACK; undefined where none does. */
  awaiting: string | undefined;
}

/** Pushes tables. */
export class DiscoveryService {
  readonly #options: DiscoveryServiceOptions;
  readonly #subscribers = new Set<Subscriber>();
  #state: MeshState;
  #nonce = 0;

  /** Wires the parts; streams come through {@link handle}. */
  constructor(options: DiscoveryServiceOptions) {
    this.#options = options;
    this.#state = options.state;
  }

  /** Puts another state in force and pushes what changed. */
  replaceState(state: MeshState): void {
    this.#state = state;
    for (const subscriber of this.#subscribers) this.#push(subscriber);
  }

  /** How many agents listen. */
  get subscribers(): number {
    return this.#subscribers.size;
  }

  /** The handler of `StreamAggregatedResources`. */
  readonly handle = (stream: Stream): void => {
    let subscriber: Subscriber | undefined;
    let refused = false;
    let identified = Promise.resolve();
    stream.on("data", (request: DiscoveryRequest) => {
      identified = identified.then(async () => {
        if (refused || request.typeUrl !== NAME_TABLE_TYPE_URL) return;
        subscriber ??= await this.#subscribe(stream, request);
        if (subscriber === undefined) refused = true;
        else this.#receive(subscriber, request);
      }).catch((error) => {
        this.#options.log.error("A stream met a fault and is closed", { reason: messageOf(error) });
        stream.destroy(error);
      });
    });
    const end = () => {
      if (subscriber !== undefined && this.#subscribers.delete(subscriber)) {
        this.#options.log.info("An agent left", { node: subscriber.node });
      }
    };
    stream.on("end", () => {
      end();
      stream.end();
    });
    stream.on("cancelled", end);
    stream.on("error", end);
  };

  async #subscribe(stream: Stream, request: DiscoveryRequest): Promise<Subscriber | undefined> {
    const refuse = (code: status, details: string) => {
      this.#options.log.warn("A stream was refused", { peer: stream.getPeer(), reason: details });
      stream.emit("error", { code, details });
      return undefined;
    };
    const caller = await identifyCaller(stream, this.#options);
    if (caller.kind === "unknown") return refuse(status.UNAUTHENTICATED, caller.reason);
    if (request.node === undefined || request.node.id === "") {
      return refuse(status.INVALID_ARGUMENT, "the first request of a stream must name its node");
    }
    const { CLUSTER_ID: cluster } = request.node.metadata ?? {};
    const subscriber: Subscriber = {
      stream,
      node: request.node.id.slice(0, 300),
      viewer: {
        // The identity decides what is seen; what a node says of its own namespace is not asked.
        namespace: caller.workload.namespace,
        cluster: typeof cluster === "string" ? cluster.slice(0, 253) : "",
      },
      sent: undefined,
      awaiting: undefined,
    };
    this.#subscribers.add(subscriber);
    this.#options.log.info("An agent listens", {
      node: subscriber.node,
      namespace: subscriber.viewer.namespace,
      by: caller.by,
    });
    return subscriber;
  }

  #receive(subscriber: Subscriber, request: DiscoveryRequest): void {
    if (request.errorDetail !== undefined && request.errorDetail !== null) {
      this.#options.log.warn("An agent refused a table", {
        node: subscriber.node,
        reason: request.errorDetail.message.slice(0, 500),
      });
    }
    // An answer to an older push than the one under way says nothing new.
    if (subscriber.awaiting !== undefined && request.responseNonce !== subscriber.awaiting) return;
    subscriber.awaiting = undefined;
    this.#push(subscriber);
  }

  /** Sends the table of now, unless it was sent already or another is under way. */
  #push(subscriber: Subscriber): void {
    if (subscriber.awaiting !== undefined) return;
    const { resource, version } = this.#state.tableOf(subscriber.viewer);
    if (subscriber.sent !== undefined && equal(subscriber.sent, resource.value)) return;
    const nonce = String(++this.#nonce);
    subscriber.sent = resource.value;
    subscriber.awaiting = nonce;
    subscriber.stream.write({
      versionInfo: version,
      resources: [resource],
      typeUrl: NAME_TABLE_TYPE_URL,
      nonce,
    });
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || a.length === b.length && a.every((octet, i) => octet === b[i]);
}
