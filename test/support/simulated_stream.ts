/**
 * Both ends of a TCP connection in memory: messages in order, back-pressure, and the ways it ends.
 *
 * @module
 */
import type { Clock } from "../../agent/system/clock.ts";
import type { MessageStream, MessageStreamHandlers } from "../../agent/system/network.ts";
import type { SocketAddress } from "../../agent/system/socket_address.ts";

/** Counts the ends that a host has open. */
export interface StreamCounter {
  /** Ends that are open now. */
  openStreams: number;
}

/** What passes from end to end: a message, or the end of all messages. */
type Passed = { message: Uint8Array } | { end: true; error?: Error };

/** A connection. */
export class StreamPair {
  /** The end that connected. */
  readonly near: StreamEnd;
  /** The end that accepted. */
  readonly far: StreamEnd;

  /** @param options `delayMs`: how long each direction takes */
  constructor(
    options: { local: SocketAddress; remote: SocketAddress; clock: Clock; delayMs: number },
  ) {
    const { local, remote } = options;
    this.near = new StreamEnd({ ...options, peer: () => this.far });
    this.far = new StreamEnd({
      ...options,
      local: remote,
      remote: local,
      peer: () => this.near,
    });
  }
}

/** One end. */
export class StreamEnd implements MessageStream {
  readonly local: SocketAddress;
  readonly remote: SocketAddress;
  readonly #clock: Clock;
  readonly #delayMs: number;
  readonly #peer: () => StreamEnd;
  /** What arrived while nobody read. */
  readonly #waiting: Passed[] = [];
  #handlers: MessageStreamHandlers | undefined;
  #counter: StreamCounter | undefined;
  #paused = false;
  #sending = true;
  #open = true;
  /** Octets of this end's messages that the peer has not read yet. */
  queuedOctets = 0;

  /** Not open before {@link attach}. */
  constructor(
    options: {
      local: SocketAddress;
      remote: SocketAddress;
      clock: Clock;
      delayMs: number;
      peer: () => StreamEnd;
    },
  ) {
    this.local = options.local;
    this.remote = options.remote;
    this.#clock = options.clock;
    this.#delayMs = options.delayMs;
    this.#peer = options.peer;
  }

  /** Gives the end to whom it belongs. */
  attach(handlers: MessageStreamHandlers, counter: StreamCounter): void {
    this.#handlers = handlers;
    this.#counter = counter;
    if (this.#open) counter.openStreams++;
    else this.#clock.schedule(0, () => handlers.onClose());
  }

  /** See {@link MessageStream.send}. */
  send(message: Uint8Array): void {
    if (!this.#open || !this.#sending) return;
    this.queuedOctets += message.length + 2;
    this.#pass({ message: message.slice() });
  }

  /** See {@link MessageStream.pause}. */
  pause(): void {
    this.#paused = true;
  }

  /** See {@link MessageStream.resume}. */
  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#clock.schedule(0, () => this.#read());
  }

  /** See {@link MessageStream.close}. */
  close(): void {
    if (!this.#open || !this.#sending) return;
    this.#sending = false;
    this.#pass({ end: true });
  }

  /** See {@link MessageStream.destroy}. */
  destroy(): void {
    this.#finish();
    this.#pass({ end: true, error: new Error("read ECONNRESET") });
  }

  #pass(passed: Passed): void {
    this.#clock.schedule(this.#delayMs, () => this.#peer().#arrive(passed));
  }

  #arrive(passed: Passed): void {
    if (!this.#open) return;
    // A reset takes with it what was not read.
    if ("end" in passed && passed.error !== undefined) {
      this.#finish(passed.error);
      return;
    }
    this.#waiting.push(passed);
    this.#read();
  }

  #read(): void {
    while (this.#open && !this.#paused && this.#waiting.length > 0) {
      const passed = this.#waiting.shift()!;
      if ("message" in passed) {
        this.#peer().queuedOctets -= passed.message.length + 2;
        this.#handlers?.onMessage(passed.message);
      } else {
        // As node:net without allowHalfOpen: the end of one direction ends the other.
        if (this.#sending) this.close();
        this.#finish();
      }
    }
  }

  #finish(error?: Error): void {
    if (!this.#open) return;
    this.#open = false;
    this.#sending = false;
    if (this.#counter === undefined) return;
    this.#counter.openStreams--;
    this.#clock.schedule(0, () => this.#handlers!.onClose(error));
  }
}
