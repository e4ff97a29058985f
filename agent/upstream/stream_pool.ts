/**
 * The connections to one server, TCP or TLS: kept open while they are used, many queries on one, and
 * answers in any order (RFC 7766 section 6.2.1.1). Owns the ids on each connection.
 *
 * @module
 */
import { decodeUpstreamAnswer, type UpstreamAnswer } from "../dns/upstream_message.ts";
import type { Question } from "../dns/query.ts";
import { messageOf } from "../system/agent_error.ts";
import type { Clock } from "../system/clock.ts";
import type { MessageStream, MessageStreamHandlers } from "../system/network.ts";
import type { Random } from "../system/random.ts";
import type { ExchangeFailure } from "./exchange.ts";

/** How long a connection without queries stays open, in milliseconds (RFC 7766 section 6.2.3). */
export const IDLE_MS = 10_000;
/** Queries that wait on one connection at a time; more open another. */
export const OUTSTANDING_MAX = 100;
/** Connections to one server at a time. */
export const CONNECTIONS_MAX = 4;

/** What a pool is made of. */
export interface StreamPoolOptions {
  /** Opens a connection. */
  connect(handlers: MessageStreamHandlers, signal: AbortSignal): Promise<MessageStream>;
  /** Closes idle connections, and measures. */
  clock: Clock;
  /** Makes ids. */
  random: Random;
}

/** One query of a pool. */
export interface StreamQuery {
  /** What the answer must repeat. */
  question: Question;
  /** Writes the message. */
  encode(id: number): Uint8Array;
  /** Ends the wait. */
  signal: AbortSignal;
}

/** What came of it. */
export type StreamOutcome =
  | { kind: "answer"; message: UpstreamAnswer; roundTripMs: number }
  | ExchangeFailure;

/** The connections to one server. */
export class StreamPool {
  readonly #options: StreamPoolOptions;
  readonly #connections = new Set<Connection>();

  /** Wires the parts; does nothing yet. */
  constructor(options: StreamPoolOptions) {
    this.#options = options;
  }

  /** Asks on an open connection, or opens one. Never rejects. */
  async exchange(query: StreamQuery): Promise<StreamOutcome> {
    const connection = this.#usable(() => true);
    const isFresh = connection?.isFresh;
    const outcome = await connection?.exchange(query);
    // A server may close an idle connection while the query is on its way (RFC 7766 section 6.2.4).
    if (outcome?.kind !== "closed" || isFresh || query.signal.aborted) return outcomeOf(outcome);
    return outcomeOf(await this.#usable(({ isFresh }) => isFresh)?.exchange(query));
  }

  /**
   * Puts no new query on connections on which queries wait and nothing came for `ms`: what answers
   * nothing may be dead without anybody saying so. The next query opens another.
   */
  retireSilent(ms: number): void {
    for (const connection of this.#connections) connection.retireIfSilent(ms);
  }

  /** Closes the connections; queries that wait on one are answered first. */
  close(): void {
    for (const connection of this.#connections) connection.retire();
  }

  #usable(suits: (connection: Connection) => boolean): Connection | undefined {
    const open = [...this.#connections].filter((connection) => !connection.isRetired);
    const free = open.find((connection) =>
      connection.outstanding < OUTSTANDING_MAX && suits(connection)
    );
    if (free !== undefined) return free;
    return open.length < CONNECTIONS_MAX ? this.#open() : undefined;
  }

  #open(): Connection {
    const connection = new Connection(
      this.#options,
      () => this.#connections.delete(connection),
    );
    this.#connections.add(connection);
    return connection;
  }
}

/** The connection ended before the answer. */
type Closed = { kind: "closed"; reason: string };

interface Waiter extends StreamQuery {
  sentMs: number;
  resolve(outcome: StreamOutcome | Closed): void;
}

class Connection {
  readonly #options: StreamPoolOptions;
  readonly #onEnd: () => void;
  readonly #waiters = new Map<number, Waiter>();
  readonly #connecting = new AbortController();
  #stream: MessageStream | undefined;
  #ended = false;
  #retired = false;
  #fresh = true;
  #quietSinceMs: number;
  #cancelIdle: () => void = () => {};

  constructor(options: StreamPoolOptions, onEnd: () => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#quietSinceMs = options.clock.monotonicMs();
    options.connect({
      onMessage: (message) => this.#onMessage(message),
      onClose: (error) => this.#end(error?.message ?? "the server closed the connection"),
    }, this.#connecting.signal).then((stream) => {
      if (this.#ended) return stream.destroy();
      this.#stream = stream;
      for (const [id, waiter] of this.#waiters) this.#send(id, waiter);
    }, (error) => this.#end(messageOf(error)));
  }

  /** Whether nothing was ever answered on it. */
  get isFresh(): boolean {
    return this.#fresh;
  }

  /** Whether it takes no more queries. */
  get isRetired(): boolean {
    return this.#retired || this.#ended;
  }

  /** Queries that wait. */
  get outstanding(): number {
    return this.#waiters.size;
  }

  exchange(query: StreamQuery): Promise<StreamOutcome | Closed> {
    const { clock, random } = this.#options;
    const { signal } = query;
    this.#cancelIdle();
    if (this.#waiters.size === 0) this.#quietSinceMs = clock.monotonicMs();
    let id = random.uint16();
    while (this.#waiters.has(id)) id = id + 1 & 0xffff;
    return new Promise((resolve) => {
      const abort = () => this.#settle(id, { kind: "failure", reason: "the wait was ended" });
      const waiter: Waiter = {
        ...query,
        sentMs: clock.monotonicMs(),
        resolve: (outcome) => {
          signal.removeEventListener("abort", abort);
          resolve(outcome);
        },
      };
      this.#waiters.set(id, waiter);
      if (signal.aborted) return abort();
      signal.addEventListener("abort", abort, { once: true });
      if (this.#stream !== undefined) this.#send(id, waiter);
    });
  }

  retireIfSilent(ms: number): void {
    const silentMs = this.#options.clock.monotonicMs() - this.#quietSinceMs;
    if (this.#waiters.size > 0 && silentMs >= ms) this.retire();
  }

  retire(): void {
    this.#retired = true;
    if (this.#waiters.size === 0) this.#close();
  }

  #send(id: number, waiter: Waiter): void {
    waiter.sentMs = this.#options.clock.monotonicMs();
    this.#stream!.send(waiter.encode(id));
  }

  #onMessage(octets: Uint8Array): void {
    this.#fresh = false;
    this.#quietSinceMs = this.#options.clock.monotonicMs();
    const id = octets.length < 2 ? -1 : octets[0] << 8 | octets[1];
    const waiter = this.#waiters.get(id);
    // The answer to a query that nobody waits for any more.
    if (waiter === undefined) return;
    const message = decodeUpstreamAnswer(octets, { id, question: waiter.question });
    if (message.kind === "mismatch") return;
    if (message.kind === "malformed") {
      return this.#settle(id, { kind: "failure", reason: `unreadable answer: ${message.reason}` });
    }
    const roundTripMs = this.#quietSinceMs - waiter.sentMs;
    this.#settle(
      id,
      message.truncated
        ? { kind: "failure", reason: "truncated although it came on a connection" }
        : { kind: "answer", message, roundTripMs },
    );
  }

  #settle(id: number, outcome: StreamOutcome | Closed): void {
    const waiter = this.#waiters.get(id);
    this.#waiters.delete(id);
    waiter?.resolve(outcome);
    if (this.#waiters.size > 0 || this.#ended) return;
    // Nobody waits: a connection that is not even open has no use, one that is may find some.
    if (this.#retired || this.#stream === undefined) return this.#close();
    this.#cancelIdle();
    this.#cancelIdle = this.#options.clock.schedule(IDLE_MS, () => this.#close());
  }

  #close(): void {
    this.#connecting.abort(new Error("nobody waits for it any more"));
    this.#stream?.destroy();
    this.#end("the connection was closed");
  }

  #end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelIdle();
    this.#onEnd();
    for (const id of [...this.#waiters.keys()]) this.#settle(id, { kind: "closed", reason });
  }
}

function outcomeOf(outcome: StreamOutcome | Closed | undefined): StreamOutcome {
  if (outcome === undefined) {
    return { kind: "failure", reason: "too many queries wait on its connections" };
  }
  return outcome.kind === "closed" ? { kind: "failure", reason: outcome.reason } : outcome;
}
