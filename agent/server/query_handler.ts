/**
 * From a client's message to the message that answers it, the same for UDP and TCP: decode, resolve,
 * encode. Owns the limit of questions in flight; knows nothing of sockets.
 *
 * @module
 */
import type { KeptAnswer } from "../cache/answer_cache.ts";
import { type Answer, failureAnswer } from "../dns/answer.ts";
import { ExtendedErrorCode, Rcode } from "../dns/codes.ts";
import { encodeAnswer, TCP_OCTETS_MAX, udpAnswerLimit } from "../dns/encode_answer.ts";
import { decodeQuery, type Query, type QueryHead } from "../dns/query.ts";
import type { Resolution, Resolver, ResolverRequest } from "../resolver/resolver.ts";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/log.ts";

/** How a question came in. */
export type Transport = "udp" | "tcp";

/** What a handler reports for the metrics. */
export interface QueryObserver {
  /** A question that can be answered came in. */
  onQuery(query: { transport: Transport; type: number }): void;
  /** It was answered. */
  onAnswer(answer: { source: Resolution["source"]; rcode: number; seconds: number }): void;
  /** A message was left unanswered, or refused before it became a question. */
  onDropped(reason: string): void;
}

/** What a {@link QueryHandler} is made of. */
export interface QueryHandlerOptions {
  /** Answers questions. */
  resolver: Pick<Resolver, "answerHere" | "forward" | "answerUnderLoad">;
  /** Whether a name is the agent's own question to an upstream server, which came back here. */
  isLoopProbe?: (name: string) => boolean;
  /** Times them. */
  clock: Clock;
  /** Counts them. */
  observer: QueryObserver;
  /** Told what of the cache a client was just given as it is. */
  onCacheHit?: (kept: KeptAnswer) => void;
  /** For faults of our own. */
  log: Logger;
  /** See {@link IN_FLIGHT_DEFAULT}. */
  maxInFlight?: number;
  /** See {@link IN_FLIGHT_PER_CLIENT_DEFAULT}. */
  maxInFlightPerClient?: number;
}

/** A message's way in. */
export interface MessageOrigin {
  /** How it came. */
  transport: Transport;
  /** Address of who sent it. */
  client: string;
}

/**
 * How many questions may wait for upstream servers at a time; past that, new ones get SERVFAIL at once,
 * while mesh names and cached answers go on. At a few hundred octets a question, under 4 MiB.
 */
export const IN_FLIGHT_DEFAULT = 2000;
/**
 * How many of them may be of one client address: a container that asks without end leaves as many places
 * to all others. The programs of this machine share its own address.
 */
export const IN_FLIGHT_PER_CLIENT_DEFAULT = IN_FLIGHT_DEFAULT / 2;

/** Turns messages into messages. */
export class QueryHandler {
  readonly #options: QueryHandlerOptions;
  readonly #maxInFlight: number;
  /** Questions that wait, by client address. */
  readonly #inFlightOf = new Map<string, number>();
  #inFlight = 0;
  #idle: (() => void) | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(options: QueryHandlerOptions) {
    this.#options = options;
    this.#maxInFlight = options.maxInFlight ?? IN_FLIGHT_DEFAULT;
  }

  /**
   * Handles one message. `reply` is called at most once, before this returns where the answer is known
   * here, later where an upstream server is asked.
   *
   * @returns false when the message gets no answer at all
   */
  handle(
    message: Uint8Array,
    { transport, client }: MessageOrigin,
    reply: (answer: Uint8Array) => void,
  ): boolean {
    const decoded = decodeQuery(message);
    const { observer, clock, onCacheHit } = this.#options;
    if (decoded.kind === "drop") {
      observer.onDropped(decoded.reason);
      return false;
    }
    if (decoded.kind === "reject") {
      observer.onDropped(`rcode ${decoded.rcode}`);
      reply(encode(decoded.head, failureAnswer(decoded.rcode), transport));
      return true;
    }
    const { query } = decoded;
    observer.onQuery({ transport, type: query.question.type });
    const started = clock.monotonicMs();
    const finish = ({ answer, source, kept }: Resolution) => {
      reply(encode(query, answer, transport));
      observer.onAnswer({
        source,
        rcode: answer.rcode,
        seconds: (clock.monotonicMs() - started) / 1000,
      });
      if (kept !== undefined) onCacheHit?.(kept);
    };
    const resolution = this.#resolve(query, client);
    if (!(resolution instanceof Promise)) {
      finish(resolution);
      return true;
    }
    this.#count(client, 1);
    resolution.then(finish, (fault) => finish(this.#fault(query, fault))).finally(() => {
      this.#count(client, -1);
      if (this.#inFlight === 0) this.#idle?.();
    });
    return true;
  }

  /** Questions that wait for upstream servers. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Resolves once no question waits. */
  settled(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idle = resolve);
  }

  /** Refuses a client that may not ask; says nothing to what is no question. */
  refuse(
    message: Uint8Array,
    { transport }: MessageOrigin,
    reply: (answer: Uint8Array) => void,
  ): void {
    const decoded = decodeQuery(message);
    this.#options.observer.onDropped("client not allowed");
    if (decoded.kind === "drop") return;
    const head = decoded.kind === "reject" ? decoded.head : decoded.query;
    const text = "this client may not ask here (dns.allowFrom)";
    const answer = failureAnswer(Rcode.REFUSED, { code: ExtendedErrorCode.PROHIBITED, text });
    reply(encode(head, answer, transport));
  }

  #count(client: string, change: 1 | -1): void {
    this.#inFlight += change;
    const own = (this.#inFlightOf.get(client) ?? 0) + change;
    if (own === 0) this.#inFlightOf.delete(client);
    else this.#inFlightOf.set(client, own);
  }

  /** Whether one more question of a client may wait for upstream servers. */
  #hasRoom(client: string): boolean {
    const { maxInFlightPerClient = IN_FLIGHT_PER_CLIENT_DEFAULT } = this.#options;
    return this.#inFlight < this.#maxInFlight &&
      (this.#inFlightOf.get(client) ?? 0) < maxInFlightPerClient;
  }

  #resolve(query: Query, client: string): Resolution | Promise<Resolution> {
    const { resolver, isLoopProbe } = this.#options;
    const request: ResolverRequest = {
      question: query.question,
      dnssecOk: query.edns?.dnssecOk ?? false,
      checkingDisabled: query.checkingDisabled,
    };
    try {
      if (isLoopProbe?.(query.question.name)) {
        return refused(Rcode.REFUSED, "this agent's own question came back");
      }
      const here = resolver.answerHere(request);
      if (here !== undefined) return here;
      if (!query.recursionDesired) {
        return refused(Rcode.REFUSED, "not known here, and the query does not ask for recursion");
      }
      if (this.#hasRoom(client)) return resolver.forward(request);
      return resolver.answerUnderLoad(request) ??
        refused(Rcode.SERVFAIL, "too many questions wait for upstream servers");
    } catch (fault) {
      return this.#fault(query, fault);
    }
  }

  /**
   * A fault of our own costs the question that met it and no other: a crash at a question that a client
   * repeats would take the VM's whole DNS away.
   */
  #fault(query: Query, fault: unknown): Resolution {
    this.#options.log.error("A question met a fault in outrigger; please report it", {
      question: query.question,
      fault: fault instanceof Error ? fault.stack : String(fault),
    });
    return refused(Rcode.SERVFAIL, "internal fault");
  }
}

function refused(rcode: number, text: string): Resolution {
  const answer: Answer = failureAnswer(rcode, { code: ExtendedErrorCode.OTHER, text });
  return { answer, source: "failure", why: [text] };
}

function encode(head: QueryHead, answer: Answer, transport: Transport): Uint8Array {
  const maxOctets = transport === "tcp" ? TCP_OCTETS_MAX : udpAnswerLimit(head);
  return encodeAnswer(head, answer, { maxOctets });
}
