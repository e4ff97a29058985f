/**
 * The fast path: workers that answer most queries of UDP clients without the main thread. This is the
 * main thread's side: it opens the sockets, publishes tables, takes what workers hand over to the slow
 * path, and sends the slow path's answers on the same sockets. One of the workers also reads the sockets
 * of exchanges with upstream servers.
 *
 * A socket of the fast path looks to the `DnsServer` as one of the network does; it only sees fewer
 * queries.
 *
 * @module
 */
import type { MeshView } from "../names/mesh_lookup.ts";
import { messageOf } from "../system/agent_error.ts";
import { type Clock, sleep } from "../system/clock.ts";
import { ExchangeSockets } from "../system/exchange_sockets.ts";
import type { Logger } from "../system/log.ts";
import type { ListenAddress, UdpHandlers, UdpSocket } from "../system/network.ts";
import type { PacketHandler } from "../system/packet_ring.ts";
import type { Random } from "../system/random.ts";
import { decodeSockaddr, encodeSockaddr } from "../system/sockaddr.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import {
  adoptUdpSocket,
  closeDescriptor,
  openUdpSocket,
  sendDatagram,
} from "../system/udp_listener.ts";
import type { FastCounts } from "./fast_counters.ts";
import { fastView } from "./fast_view.ts";
import { FastWorkerHandle } from "./fast_worker_handle.ts";

/** What a {@link FastPath} is made of. */
export interface FastPathOptions {
  /** How many workers. */
  workers: number;
  /** The memory of the hot part of the cache. */
  cache: SharedArrayBuffer;
  /** Waits. */
  clock: Clock;
  /** Where rotations begin. */
  random: Random;
  /** Where it reports. */
  log: Logger;
}

/**
 * How long a worker may take for the batch that it is at, in milliseconds, before it counts as stuck; then
 * nobody waits for it again. Not shorter: on a busy machine a thread does not run for more than a second,
 * and what it had taken would be lost. Not longer: an end has more to do.
 */
export const STUCK_MS = 4_000;
/** How long a worker that died is not started anew, in milliseconds: a fault may be in what it is given. */
const RESTART_MS = 200;

/** What the workers answer from. */
export interface FastMesh {
  /** The table's buffer. */
  buffer: SharedArrayBuffer;
  /** How this node sees it. */
  view: MeshView;
}

/** A socket that is open. */
interface FastSocket {
  /** Who gets what is handed over. */
  readonly handlers: UdpHandlers;
  /** Whether workers read it; the main thread sends on it all the same. */
  isRead: boolean;
}

/** Where a query came from, with its `sockaddr`: to encode the address again takes 1 to 3 us. */
interface Client extends SocketAddress {
  sockaddr: Uint8Array;
}

/** The workers and their sockets. */
export class FastPath {
  readonly #options: FastPathOptions;
  /** By file descriptor, which is what workers know a socket by. */
  readonly #sockets = new Map<number, FastSocket>();
  readonly #exchanges = new ExchangeSockets();
  #workers: FastWorkerHandle[] = [];
  #mesh: FastMesh;
  /** Waiting for a worker took too long once. */
  #isStuck = false;
  #closed = false;
  /** Gives to the slow path what a worker did not answer. */
  readonly #handOver: PacketHandler = (message, sockaddr, fd) => {
    const { address, port } = decodeSockaddr(sockaddr)!;
    const client: Client = { address, port, sockaddr };
    this.#sockets.get(fd)?.handlers.onMessage(message, client);
  };

  private constructor(options: FastPathOptions, mesh: FastMesh) {
    this.#options = options;
    this.#mesh = mesh;
  }

  /**
   * Starts the workers.
   *
   * @throws an error with the reason where this machine or runtime does not let it
   */
  static async start(options: FastPathOptions, mesh: FastMesh): Promise<FastPath> {
    const fastPath = new FastPath(options, mesh);
    try {
      for (let i = 0; i < options.workers; i++) await fastPath.#startWorker(i === 0);
    } catch (error) {
      for (const worker of fastPath.#workers) worker.free();
      fastPath.#exchanges.close();
      throw error;
    }
    return fastPath;
  }

  /** Puts a table and a view of it in force, for every query that a worker takes from now on. */
  publish(mesh: FastMesh): void {
    this.#mesh = mesh;
    const view = fastView(mesh.view);
    for (const worker of this.#workers) worker.publish(mesh.buffer, view);
  }

  /** Whether a worker may still read a table's buffer. */
  uses(buffer: SharedArrayBuffer): boolean {
    return this.#workers.some((worker) => worker.uses(buffer));
  }

  /**
   * As `Network.bindUdp`, for a socket that everybody may ask who reaches it. One that others hold as well
   * is read and written to, and never closed or changed: it is theirs.
   */
  bindUdp(
    address: ListenAddress,
    handlers: UdpHandlers,
    options: { receiveBufferBytes: number },
  ): UdpSocket {
    const isInherited = address.fd !== undefined;
    const { fd, local } = isInherited
      ? adoptUdpSocket(address.fd!)
      : openUdpSocket(address, options);
    this.#sockets.set(fd, { handlers, isRead: true });
    this.#tellSockets();
    return {
      local,
      send: (message, to) => {
        if (!this.#sockets.has(fd)) return;
        const name = (to as Partial<Client>).sockaddr ?? encodeSockaddr(to)!;
        const failure = sendDatagram(fd, message, name);
        if (failure !== undefined) handlers.onError(failure);
      },
      ...(isInherited && { stopReading: () => this.#stopReading(fd) }),
      close: () => {
        if (!this.#sockets.delete(fd)) return;
        const letGo = this.#allTake((worker) => worker.serve(this.#readSockets()));
        if (!isInherited) void letGo.then(() => closeDescriptor(fd));
      },
    };
  }

  /**
   * As `Network.bindUdp`, for a socket on a port of the kernel's choice that asks others; undefined after
   * {@link close}.
   */
  bindExchange(local: SocketAddress, handlers: UdpHandlers): UdpSocket | undefined {
    if (this.#closed) return undefined;
    return this.#exchanges.open(local.address.includes(":"), handlers);
  }

  /** What the workers counted since the last call. */
  takeCounts(): FastCounts[] {
    return this.#workers.map((worker) => worker.takeCounts());
  }

  /** Ends the workers; the sockets are to be closed before. */
  async close(): Promise<void> {
    this.#closed = true;
    const workers = this.#workers;
    await this.#allTake((worker) => worker.stop());
    for (const worker of workers) worker.free();
    this.#workers = [];
    this.#exchanges.close();
  }

  async #startWorker(readsExchanges: boolean): Promise<void> {
    const { random, log, clock } = this.#options;
    const worker = await FastWorkerHandle.start({
      cache: this.#options.cache,
      random: random.uint16(),
      exchanges: readsExchanges ? this.#exchanges : undefined,
      onRing: (ring) => ring.drainInTurns(this.#handOver),
      onFailure: (reason) => {
        log.error("A worker of the fast path died and is started anew", { reason });
        worker.free();
        this.#workers = this.#workers.filter((other) => other !== worker);
        clock.schedule(RESTART_MS, () => void this.#restartWorker(readsExchanges));
      },
    });
    this.#workers.push(worker);
    worker.publish(this.#mesh.buffer, fastView(this.#mesh.view));
    worker.serve(this.#readSockets());
  }

  async #restartWorker(readsExchanges: boolean): Promise<void> {
    if (this.#closed) return;
    await this.#startWorker(readsExchanges).catch((error) => {
      this.#options.log.error("The fast path cannot be started anew", { reason: messageOf(error) });
      this.#options.clock.schedule(RESTART_MS, () => void this.#restartWorker(readsExchanges));
    });
  }

  #tellSockets(): void {
    for (const worker of this.#workers) worker.serve(this.#readSockets());
  }

  #readSockets(): number[] {
    return [...this.#sockets].filter(([, { isRead }]) => isRead).map(([fd]) => fd);
  }

  /** Leaves to others what comes from now on; what was taken before has been handed over at the end. */
  async #stopReading(fd: number): Promise<void> {
    const socket = this.#sockets.get(fd);
    if (socket === undefined) return;
    socket.isRead = false;
    await this.#allTake((worker) => worker.serve(this.#readSockets()));
    for (const { ring } of this.#workers) ring.drainWritten(this.#handOver);
  }

  /** Tells every worker something, and waits until each has let go of what it replaced. */
  async #allTake(tell: (worker: FastWorkerHandle) => number): Promise<void> {
    const told = this.#workers.map((worker) => ({ worker, number: tell(worker) }));
    const { clock } = this.#options;
    const startedMs = clock.monotonicMs();
    while (told.some(({ worker, number }) => !worker.hasTaken(number))) {
      this.#isStuck ||= clock.monotonicMs() - startedMs > STUCK_MS;
      if (this.#isStuck) return;
      await sleep(clock, 1);
    }
  }
}
