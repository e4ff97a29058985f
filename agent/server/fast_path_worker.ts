/**
 * A worker of the fast path: takes queries off the sockets, many at a time, answers what it can and
 * hands over the rest. Once started it never returns to its event loop: it is steered by
 * {@link FastControl}, and runs until it is told to stop.
 *
 * The loop allocates nothing, so that garbage collection never pauses it.
 *
 * @module
 */
import { HotCacheReader } from "../cache/hot_cache_reader.ts";
import { TableReader } from "../names/table_reader.ts";
import { bootTimeMs } from "../system/boot_clock.ts";
import { ExchangeReader } from "../system/exchange_reader.ts";
import type { ExchangeSource } from "../system/exchange_sockets.ts";
import { PacketRingWriter } from "../system/packet_ring.ts";
import { runSteered, type Steering } from "../system/steered_worker.ts";
import { BATCH, SLOT_OCTETS, UdpBatch } from "../system/udp_batch.ts";
import { UdpPoll } from "../system/udp_poll.ts";
import { FastAnswerer, type FastSources } from "./fast_answer.ts";
import { FastControl, type FastMessage } from "./fast_control.ts";
import { FastCounters } from "./fast_counters.ts";

/** What a worker begins with. */
export interface FastWorkerStart {
  /** See {@link FastControl}. */
  control: SharedArrayBuffer;
  /** See {@link FastCounters}. */
  counters: SharedArrayBuffer;
  /** What is handed over. */
  ring: SharedArrayBuffer;
  /** The hot part of the cache. */
  cache: SharedArrayBuffer;
  /** The sockets of exchanges, for the one worker that reads them. */
  exchanges?: ExchangeSource;
  /** An eventfd that wakes the worker. */
  wakeFd: number;
  /** Where the rotation of addresses begins. */
  random: number;
}

/** What a worker posts: that it runs, that something lies in its ring, or in that of the exchanges. */
export type FastWorkerReport = "running" | "ring" | "exchanges";

/** The worker's state between two batches. */
class FastWorker {
  readonly #steering: Steering;
  readonly #control: FastControl;
  readonly #counters: FastCounters;
  readonly #ring: PacketRingWriter;
  readonly #exchanges: ExchangeReader | undefined;
  readonly #pollOfExchanges: readonly number[];
  readonly #wakeFd: number;
  readonly #cache: HotCacheReader;
  readonly #buffers = new Map<number, SharedArrayBuffer>();
  readonly #random: number;
  /** The sockets, by the file descriptor at the same index. */
  #batches: UdpBatch[] = [];
  #fds: number[] = [];
  #poll: UdpPoll;
  #answerer: FastAnswerer | undefined;
  #stopped = false;

  constructor(start: FastWorkerStart, steering: Steering) {
    this.#steering = steering;
    this.#control = new FastControl(start.control);
    this.#counters = new FastCounters(start.counters);
    this.#ring = new PacketRingWriter(start.ring, () => this.#report("ring"));
    this.#wakeFd = start.wakeFd;
    const { exchanges } = start;
    this.#exchanges = exchanges && new ExchangeReader(exchanges, () => this.#report("exchanges"));
    this.#pollOfExchanges = exchanges ? [exchanges.epollFd] : [];
    this.#poll = new UdpPoll(this.#pollOfExchanges, start.wakeFd);
    this.#cache = new HotCacheReader(start.cache);
    this.#random = start.random;
  }

  /** Serves until the end. */
  run(): void {
    // What keeps coming is taken without asking whether it is there.
    let full = false;
    for (;;) {
      if (!full) this.#poll.wait();
      // After the wait: what was published before a query came is in force for it.
      if (this.#control.sent !== this.#control.taken) this.#takeMessages();
      if (this.#stopped) return;
      const all = full;
      full = false;
      for (let socket = 0; socket < this.#batches.length; socket++) {
        if ((all || this.#poll.isReady(socket)) && this.#serve(socket) === BATCH) full = true;
      }
      // Theirs is the last place.
      if (this.#exchanges && (all || this.#poll.isReady(this.#batches.length))) {
        if (this.#exchanges.read()) full = true;
      }
    }
  }

  /** Takes a batch off a socket; returns how many queries it had. */
  #serve(socket: number): number {
    const batch = this.#batches[socket];
    const answerer = this.#answerer!;
    const count = batch.receive();
    if (count === 0) return 0;
    const startedMs = this.#cache.nowMs = bootTimeMs();
    for (let i = 0; i < count; i++) {
      // Source port 0 cannot be answered.
      if (batch.sourcePort(i) === 0) continue;
      const at = i * SLOT_OCTETS;
      const octets = batch.octets(i);
      let length = answerer.answer(batch.packets, at, octets);
      if (length > 0) {
        this.#counters.onAnswer(answerer.query.type, answerer.source, answerer.rcode);
      } else if (this.#ring.push(batch, i, this.#fds[socket])) {
        continue;
      } else {
        this.#counters.onShed();
        length = answerer.refuse(batch.packets, at, octets);
        if (length === 0) continue;
      }
      batch.queueAnswer(i, length);
    }
    const unsent = batch.flush();
    if (unsent > 0) this.#counters.onUnsent(unsent);
    this.#counters.onBatch(bootTimeMs() - startedMs);
    this.#ring.ringBell();
    return count;
  }

  #report(what: FastWorkerReport): void {
    this.#steering.report(what);
  }

  /** Takes over what was sent, and says so once nothing of what it replaced is used any more. */
  #takeMessages(): void {
    const { sent } = this.#control;
    // Each is in the port before it is counted.
    for (let taken = this.#control.taken; taken < sent; taken++) {
      this.#take(this.#steering.next() as FastMessage);
    }
    this.#control.taken = sent;
  }

  #take(message: FastMessage): void {
    switch (message.kind) {
      case "table": {
        const { bufferId, buffer, retired, view } = message;
        for (const id of retired) this.#buffers.delete(id);
        if (buffer !== undefined) this.#buffers.set(bufferId, buffer);
        const table = new TableReader(this.#buffers.get(bufferId)!);
        const sources: FastSources = { table, view, cache: this.#cache };
        if (this.#answerer === undefined) this.#answerer = new FastAnswerer(sources, this.#random);
        else this.#answerer.sources = sources;
        break;
      }
      case "sockets":
        this.#serveSockets(message.sockets);
        break;
      case "stop":
        this.#stopped = true;
        break;
    }
  }

  #serveSockets(fds: number[]): void {
    const before = new Map(this.#fds.map((fd, i) => [fd, this.#batches[i]]));
    this.#fds = fds;
    this.#batches = fds.map((fd) => before.get(fd) ?? new UdpBatch(fd));
    this.#poll = new UdpPoll([...fds, ...this.#pollOfExchanges], this.#wakeFd);
  }
}

runSteered((start, steering) => {
  const worker = new FastWorker(start as FastWorkerStart, steering);
  steering.report("running" satisfies FastWorkerReport);
  worker.run();
});
