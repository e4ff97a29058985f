/**
 * UDP sockets for one exchange each, which the main thread opens and writes to, and a thread of the fast
 * path reads (`exchange_reader.ts`). A socket of the runtime's own costs three to four times as much CPU.
 *
 * A number that is never used twice tells an exchange from a later one with the same file descriptor: what
 * comes late reaches nobody. And a descriptor is closed only once the reader cannot hold it any more:
 * it may be anything by then, a TCP connection that octets would be taken from.
 *
 * @module
 */
import { AgentError } from "./agent_error.ts";
import { libc, SystemCallError } from "./libc.ts";
import type { UdpHandlers, UdpSocket } from "./network.ts";
import { allocatePacketRing, PacketRingReader } from "./packet_ring.ts";
import { AF_INET, AF_INET6, decodeSockaddr, encodeSockaddr } from "./sockaddr.ts";
import type { SocketAddress } from "./socket_address.ts";
import { boundAddress, interfaceIndex, sendDatagram } from "./udp_listener.ts";

/** What the reader needs. */
export interface ExchangeSource {
  /** The epoll instance that every socket is in. */
  readonly epollFd: number;
  /** Where replies go, tagged with the number of the exchange. */
  readonly ring: SharedArrayBuffer;
  /** One word that the reader raises before and after it looks: while it is odd, it may hold descriptors. */
  readonly looks: SharedArrayBuffer;
}

/** `struct epoll_event`: what came, and two words that we choose; packed on x86-64 alone. */
export const EpollEvent: { readonly WORDS: number; readonly DATA: number } =
  Deno.build.arch === "x86_64" ? { WORDS: 3, DATA: 1 } : { WORDS: 4, DATA: 2 };

/**
 * Replies that may wait for the main thread: as many as there may be queries to upstream servers. They
 * have a ring of their own, so that a flood of queries costs no answer that somebody waits for.
 */
const RING_LIMITS = { octets: 512 * 1024, records: 1_000 };

const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const EPOLL_CLOEXEC = 0o2000000;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
const EPOLLIN = 1;

/** All that are open. */
export class ExchangeSockets {
  /** What the reader needs. */
  readonly source: ExchangeSource;
  readonly #call = libc().call;
  readonly #errno = libc().errno;
  readonly #ring: PacketRingReader;
  readonly #looks: Int32Array;
  readonly #event = new Int32Array(EpollEvent.WORDS);
  readonly #eventAt = Deno.UnsafePointer.of(this.#event);
  readonly #handlers = new Map<number, { fd: number; handlers: UdpHandlers }>();
  #lastNumber = 0;
  /** Who was asked last, which mostly is who is asked next, and the `sockaddr`: encoding takes 1 to 3 us. */
  #lastAsked: SocketAddress | undefined;
  #lastName: Uint8Array | undefined;
  /** Descriptors that were given up while the reader looked for the time that {@link #leftAtLook} says. */
  #left: number[] = [];
  #leftAtLook = 0;

  /** Opens none yet. @throws SystemCallError; AgentError where there is no C library */
  constructor() {
    const epollFd = this.#call.epoll_create1(EPOLL_CLOEXEC);
    if (epollFd < 0) throw new SystemCallError(this.#errno(), "Could not open an epoll instance");
    const ring = allocatePacketRing(RING_LIMITS);
    const looks = new SharedArrayBuffer(4);
    this.source = { epollFd, ring, looks };
    this.#ring = new PacketRingReader(ring);
    this.#looks = new Int32Array(looks);
  }

  /**
   * Opens a socket on a port that the kernel chooses as soon as something is sent.
   *
   * @param isIPv6 which family it speaks
   * @throws SystemCallError (EMFILE, …)
   */
  open(isIPv6: boolean, handlers: UdpHandlers): UdpSocket {
    const type = SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    const fd = this.#call.socket(isIPv6 ? AF_INET6 : AF_INET, type, 0);
    if (fd < 0) throw new SystemCallError(this.#errno(), "Could not open a UDP socket");
    const number = this.#nextNumber();
    this.#event[0] = EPOLLIN;
    this.#event[EpollEvent.DATA] = fd;
    this.#event[EpollEvent.DATA + 1] = number;
    if (this.#call.epoll_ctl(this.source.epollFd, EPOLL_CTL_ADD, fd, this.#eventAt) !== 0) {
      const error = new SystemCallError(this.#errno(), "Could not wait for a UDP socket");
      this.#call.close(fd);
      throw error;
    }
    this.#handlers.set(number, { fd, handlers });
    return {
      get local() {
        return boundAddress(fd)!;
      },
      send: (message, to) => {
        if (!this.#handlers.has(number)) return;
        const name = this.#nameOf(to);
        const failure = name === undefined
          ? new AgentError("EADDRNOTAVAIL", `Could not send to ${to.address}: no such address`)
          : sendDatagram(fd, message, name);
        if (failure !== undefined) handlers.onError(failure);
      },
      close: () => {
        if (this.#handlers.delete(number)) this.#giveUp(fd);
      },
    };
  }

  /** Hands out what the reader took; to be called whenever it reports. */
  deliver(): void {
    this.#ring.drainInTurns((message, source, number) =>
      this.#handlers.get(number)?.handlers.onMessage(message, decodeSockaddr(source)!)
    );
  }

  /** Closes all. The reader has to be stopped before. */
  close(): void {
    for (const { fd } of this.#handlers.values()) this.#call.close(fd);
    this.#handlers.clear();
    this.#closeLeft();
    this.#call.close(this.source.epollFd);
  }

  #nameOf(to: SocketAddress): Uint8Array | undefined {
    if (to === this.#lastAsked) return this.#lastName;
    const name = encodeSockaddr(to, interfaceIndex);
    // An interface may be another one the next time.
    if (to.address.includes("%")) return name;
    this.#lastAsked = to;
    this.#lastName = name;
    return name;
  }

  #nextNumber(): number {
    // 31 bits, which come around after days: whoever has waited that long is passed over.
    do this.#lastNumber = this.#lastNumber + 1 & 0x7fff_ffff; while (
      this.#handlers.has(this.#lastNumber)
    );
    return this.#lastNumber;
  }

  /**
   * Takes a descriptor out of the set, and closes it as soon as the reader cannot have it: at once where it
   * does not look. A look that begins after this finds it no more.
   */
  #giveUp(fd: number): void {
    this.#call.epoll_ctl(this.source.epollFd, EPOLL_CTL_DEL, fd, null);
    const look = Atomics.load(this.#looks, 0);
    const isLooking = (look & 1) === 1;
    if (!isLooking || look !== this.#leftAtLook) this.#closeLeft();
    if (!isLooking) {
      this.#call.close(fd);
      return;
    }
    this.#left.push(fd);
    this.#leftAtLook = look;
  }

  #closeLeft(): void {
    for (const fd of this.#left) this.#call.close(fd);
    this.#left = [];
  }
}
