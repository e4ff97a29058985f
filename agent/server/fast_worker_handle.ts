/**
 * One worker of the fast path as the main thread sees it: started, told of changes, listened to, ended.
 *
 * @module
 */
import type { ExchangeSockets } from "../system/exchange_sockets.ts";
import { allocatePacketRing, PacketRingReader } from "../system/packet_ring.ts";
import { startSteeredWorker, type SteeredWorker } from "../system/steered_worker.ts";
import { WakeEvent } from "../system/wake_event.ts";
import { controlMemory, FastControl, type FastMessage } from "./fast_control.ts";
import { countersMemory, FastCountersReader, type FastCounts } from "./fast_counters.ts";
import type { FastView } from "./fast_view.ts";
import type { FastWorkerReport, FastWorkerStart } from "./fast_path_worker.ts";

/** What a {@link FastWorkerHandle} is made of. */
export interface FastWorkerOptions {
  /** The hot part of the cache. */
  cache: SharedArrayBuffer;
  /** Where the rotation of addresses begins. */
  random: number;
  /** The sockets of exchanges, where it is this worker that reads them. */
  exchanges: ExchangeSockets | undefined;
  /** Queries lie in the ring. */
  onRing(ring: PacketRingReader): void;
  /** It died. */
  onFailure(reason: string): void;
}

/**
 * What may wait for the slow path: as many queries as may wait for upstream servers, so that a main thread
 * that is held up for a moment loses none; past that they get SERVFAIL at once.
 */
const RING_LIMITS = { octets: 512 * 1024, records: 2_000 };

/** One worker. */
export class FastWorkerHandle {
  /** What it hands over. */
  readonly ring: PacketRingReader;
  readonly #worker: SteeredWorker;
  readonly #control: FastControl;
  readonly #counters: FastCountersReader;
  readonly #wake = new WakeEvent();
  readonly #running = Promise.withResolvers<true>();
  /** Buffers that the worker has, by id; and the number of the message that replaced each. */
  readonly #buffers = new Map<SharedArrayBuffer, { id: number; replacedBy: number }>();
  #current: SharedArrayBuffer | undefined;
  #nextId = 1;
  #ended = false;

  private constructor(options: FastWorkerOptions) {
    const start: FastWorkerStart = {
      control: controlMemory(),
      counters: countersMemory(),
      ring: allocatePacketRing(RING_LIMITS),
      cache: options.cache,
      wakeFd: this.#wake.fd,
      random: options.random,
      ...(options.exchanges && { exchanges: options.exchanges.source }),
    };
    this.#control = new FastControl(start.control);
    this.#counters = new FastCountersReader(start.counters);
    this.ring = new PacketRingReader(start.ring);
    const program = new URL("./fast_path_worker.ts", import.meta.url);
    this.#worker = startSteeredWorker(program, start, {
      onReport: (report) => {
        const what = report as FastWorkerReport;
        if (what === "ring") options.onRing(this.ring);
        else if (what === "exchanges") options.exchanges!.deliver();
        else this.#running.resolve(true);
      },
      onFailure: (reason) => {
        this.#running.reject(new Error(reason));
        this.#ended = true;
        // Before it runs, who starts it is told.
        void this.#running.promise.then(() => options.onFailure(reason), () => {});
      },
    });
  }

  /**
   * Starts a worker that serves nothing yet.
   *
   * @throws an error with the reason where it does not start
   */
  static async start(options: FastWorkerOptions): Promise<FastWorkerHandle> {
    const handle = new FastWorkerHandle(options);
    try {
      await handle.#running.promise;
      return handle;
    } catch (error) {
      handle.free();
      throw error;
    }
  }

  /** Puts a table and a view in force. */
  publish(buffer: SharedArrayBuffer, view: FastView): void {
    const known = this.#buffers.get(buffer);
    const retired: number[] = [];
    if (known === undefined) {
      // Two take turns; a third one has come because they were too small.
      for (const [other, { id }] of this.#buffers) {
        if (other === this.#current) continue;
        retired.push(id);
        this.#buffers.delete(other);
      }
      this.#buffers.set(buffer, { id: this.#nextId++, replacedBy: 0 });
    }
    const { id } = this.#buffers.get(buffer)!;
    const number = this.#tell({
      kind: "table",
      bufferId: id,
      ...(known === undefined && { buffer }),
      retired,
      view,
    });
    if (this.#current !== undefined && this.#current !== buffer) {
      this.#buffers.get(this.#current)!.replacedBy = number;
    }
    this.#current = buffer;
  }

  /** Whether the worker may still read a buffer. */
  uses(buffer: SharedArrayBuffer): boolean {
    const known = this.#buffers.get(buffer);
    return known !== undefined && (buffer === this.#current || !this.hasTaken(known.replacedBy));
  }

  /** Serves these sockets and no others; returns what {@link hasTaken} takes. */
  serve(sockets: readonly number[]): number {
    return this.#tell({ kind: "sockets", sockets: [...sockets] });
  }

  /** Ends it, once it has answered the batch that it is at; returns what {@link hasTaken} takes. */
  stop(): number {
    return this.#tell({ kind: "stop" });
  }

  #tell(message: FastMessage): number {
    this.#worker.tell(message);
    const number = this.#control.countSent();
    this.#wake.signal();
    return number;
  }

  /** Whether the worker uses nothing any more that the message of this number replaced. */
  hasTaken(number: number): boolean {
    return this.#ended || this.#control.taken >= number;
  }

  /** What it counted since the last call. */
  takeCounts(): FastCounts {
    return this.#counters.take();
  }

  /** Frees what it held; call it when {@link stop} was taken, or it died. */
  free(): void {
    this.#ended = true;
    this.#worker.end();
    this.#wake.close();
  }
}
