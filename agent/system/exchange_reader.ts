/**
 * Reads the sockets of {@link ExchangeSockets} in a thread that waits for many sockets, and puts what came
 * into the ring. Nothing is allocated for a datagram.
 *
 * @module
 */
import { EpollEvent, type ExchangeSource } from "./exchange_sockets.ts";
import { type Libc, libc } from "./libc.ts";
import { PacketRingWriter, type PacketSource } from "./packet_ring.ts";
import { SOCKADDR_OCTETS } from "./sockaddr.ts";

/** Sockets that one look finds at most. */
const EVENTS = 64;
/** Octets of a datagram that are taken: more than is ever asked for (1232). */
const MESSAGE_OCTETS = 4096;
const MSG_DONTWAIT = 0x40;

/** The end of the thread that reads; it is the datagram that was read last. */
export class ExchangeReader implements PacketSource {
  readonly #epollFd: number;
  readonly #ring: PacketRingWriter;
  readonly #looks: Int32Array;
  readonly #call: Libc["call"];
  // Memory that the kernel writes to, kept with its address.
  readonly #events = new Int32Array(EVENTS * EpollEvent.WORDS);
  readonly #eventsAt = Deno.UnsafePointer.of(this.#events);
  readonly #message = new Uint8Array(MESSAGE_OCTETS);
  readonly #messageAt = Deno.UnsafePointer.of(this.#message);
  readonly #room = BigInt(MESSAGE_OCTETS);
  readonly #name = new Uint8Array(new ArrayBuffer(SOCKADDR_OCTETS));
  readonly #nameAt = Deno.UnsafePointer.of(this.#name);
  readonly #nameOctets = new Uint32Array(new ArrayBuffer(4));
  readonly #nameOctetsAt = Deno.UnsafePointer.of(this.#nameOctets);
  #octets = 0;

  /**
   * Makes the memory.
   *
   * @param report tells the main thread to call `deliver()`
   */
  constructor({ epollFd, ring, looks }: ExchangeSource, report: () => void) {
    this.#epollFd = epollFd;
    this.#ring = new PacketRingWriter(ring, report);
    this.#looks = new Int32Array(looks);
    this.#call = libc().call;
    // The reader before this one died while it looked.
    if ((this.#looks[0] & 1) === 1) Atomics.add(this.#looks, 0, 1);
  }

  /**
   * Takes what waits, at most one datagram of each socket. One that the ring has no room for is lost, as
   * in the network.
   *
   * @returns whether there may be more
   */
  read(): boolean {
    Atomics.add(this.#looks, 0, 1);
    const count = this.#call.epoll_wait(this.#epollFd, this.#eventsAt, EVENTS, 0);
    for (let i = 0; i < count; i++) {
      const data = i * EpollEvent.WORDS + EpollEvent.DATA;
      this.#nameOctets[0] = SOCKADDR_OCTETS;
      this.#octets = this.#call.recvfrom(
        this.#events[data],
        this.#messageAt,
        this.#room,
        MSG_DONTWAIT,
        this.#nameAt,
        this.#nameOctetsAt,
      );
      if (this.#octets >= 0) this.#ring.push(this, 0, this.#events[data + 1]);
    }
    Atomics.add(this.#looks, 0, 1);
    this.#ring.ringBell();
    return count === EVENTS;
  }

  /** Length of the datagram. */
  octets(_: number): number {
    return this.#octets;
  }

  /** Copies the `sockaddr` that it came from; returns its length. */
  copySource(_: number, into: Uint8Array, at: number): number {
    const octets = this.#nameOctets[0];
    for (let i = 0; i < octets; i++) into[at + i] = this.#name[i];
    return octets;
  }

  /** Copies it. */
  copyMessage(_: number, into: Uint8Array, at: number): void {
    for (let i = 0; i < this.#octets; i++) into[at + i] = this.#message[i];
  }
}
