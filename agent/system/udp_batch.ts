/**
 * Datagrams by the batch, for one worker of the fast path: the memory that the kernel reads and writes,
 * and the calls on it. Owns every offset of it. Knows nothing of what is in the datagrams.
 *
 * Nothing is allocated for a datagram or a batch. All memory is one buffer, kept by the object: the
 * kernel holds addresses of it that V8 does not see, and would write into freed memory otherwise.
 *
 * @module
 */
import { AF_INET6 } from "./sockaddr.ts";
import { Errno, type Libc, libc, SystemCallError } from "./libc.ts";

/** Datagrams that one call takes at most. */
export const BATCH = 64;
/** Room for a datagram, and for its answer. */
export const SLOT_OCTETS = 4096;

/** Octets of a `struct mmsghdr`: a `msghdr` of 56, the length that came, padding. */
const HEADER = 64;
/** Octets of a `struct iovec`: address and length. */
const IOVEC = 16;
/** Octets that are kept for a `struct sockaddr_in` (16) or `sockaddr_in6` (28). */
const NAME = 32;

/** Where each array lies, in octets from the start. */
const AT = {
  RECEIVED: BATCH * SLOT_OCTETS,
  RECEIVED_IOVECS: BATCH * (SLOT_OCTETS + HEADER),
  QUEUED: BATCH * (SLOT_OCTETS + HEADER + IOVEC),
  QUEUED_IOVECS: BATCH * (SLOT_OCTETS + 2 * HEADER + IOVEC),
  NAMES: BATCH * (SLOT_OCTETS + 2 * HEADER + 2 * IOVEC),
  POLL: BATCH * (SLOT_OCTETS + 2 * HEADER + 2 * IOVEC + NAME),
} as const;
/** And one `struct pollfd` of 8 octets. */
const OCTETS = AT.POLL + 8;

/** Fields of a `struct mmsghdr`, in words of 32 bits. */
const Field = { NAME: 0, NAME_OCTETS: 2, IOVEC: 4, IOVECS: 6, LENGTH: 14 } as const;

const MSG_DONTWAIT = 0x40;
const POLLOUT = 4;

/** How long a full send buffer is waited for, in milliseconds. */
const SEND_WAIT_MS = 5;
/** How long the kernel is left alone after an error that only time mends (ENOMEM), in milliseconds. */
const ERROR_WAIT_MS = 1;

/** The datagrams of one socket, up to {@link BATCH} at a time. */
export class UdpBatch {
  /** The messages: the one at position `i` begins at `i * SLOT_OCTETS`, and so does its answer. */
  readonly packets: Uint8Array<ArrayBuffer>;
  readonly #fd: number;
  readonly #call: Libc["call"];
  readonly #errno: () => number;
  /** All of the memory as words. */
  readonly #words: Uint32Array<ArrayBuffer>;
  readonly #names: Uint8Array<ArrayBuffer>;
  readonly #nameOctets: number;
  /** Address of the memory; below 2^53, as every address of a process is. */
  readonly #base: number;
  readonly #received: Deno.PointerValue;
  /** The queue from each position on: what is sent next after one that the kernel refused. */
  readonly #queuedFrom: Deno.PointerValue[] = [];
  readonly #pollSend: Deno.PointerValue;
  /** Which message each position of the queue answers, as its header says. */
  readonly #target = new Int32Array(BATCH);
  #queued = 0;

  /**
   * Makes the memory.
   *
   * @param fd a UDP socket, blocking or not
   * @param library the C library of this thread
   * @throws SystemCallError where `fd` is no socket; AgentError where there is no C library
   */
  constructor(fd: number, library: Libc = libc()) {
    const { call, errno } = library;
    this.#fd = fd;
    this.#call = call;
    this.#errno = errno;
    const memory = new ArrayBuffer(OCTETS);
    this.#words = new Uint32Array(memory);
    this.packets = new Uint8Array(memory, 0, BATCH * SLOT_OCTETS);
    this.#names = new Uint8Array(memory, AT.NAMES, BATCH * NAME);
    const pointer = (at: number) => Deno.UnsafePointer.of(new Uint8Array(memory, at, 1));
    this.#received = pointer(AT.RECEIVED);
    this.#pollSend = pointer(AT.POLL);

    const name = new Uint8Array(new ArrayBuffer(NAME));
    const nameOctets = Uint32Array.of(NAME);
    if (call.getsockname(fd, name, nameOctets) !== 0) {
      throw new SystemCallError(errno(), `Could not use file descriptor ${fd} as a socket`);
    }
    this.#nameOctets = name[0] === AF_INET6 ? 28 : 16;

    this.#base = Number(Deno.UnsafePointer.value(pointer(0)));
    for (let i = 0; i < BATCH; i++) {
      this.#queuedFrom.push(pointer(AT.QUEUED + i * HEADER));
      this.#fillHeader(AT.RECEIVED + i * HEADER, AT.RECEIVED_IOVECS + i * IOVEC);
      this.#fillHeader(AT.QUEUED + i * HEADER, AT.QUEUED_IOVECS + i * IOVEC);
      this.#writeAddress(AT.RECEIVED + i * HEADER, AT.NAMES + i * NAME);
      this.#writeAddress(AT.RECEIVED_IOVECS + i * IOVEC, i * SLOT_OCTETS);
      this.#words[(AT.RECEIVED_IOVECS + i * IOVEC) / 4 + 2] = SLOT_OCTETS;
      this.#pointQueued(i, i);
    }
    this.#words[AT.POLL / 4] = fd;
    this.#words[AT.POLL / 4 + 1] = POLLOUT;
  }

  /**
   * Takes what waits, without waiting for any. What was queued and not sent is forgotten.
   *
   * @returns how many messages came
   * @throws SystemCallError where the socket is gone
   */
  receive(): number {
    this.#queued = 0;
    const came = this.#call.recvmmsg(this.#fd, this.#received, BATCH, MSG_DONTWAIT, null);
    if (came >= 0) return came;
    const errno = this.#errno();
    if (errno === Errno.EAGAIN || errno === Errno.EINTR) return 0;
    this.#throwIfFatal(errno, "Could not receive");
    this.#call.poll(null, 0n, ERROR_WAIT_MS);
    return 0;
  }

  /** Length of message `i`, at most {@link SLOT_OCTETS}: a longer one is cut. */
  octets(i: number): number {
    return this.#words[(AT.RECEIVED + i * HEADER) / 4 + Field.LENGTH];
  }

  /** Port that message `i` came from. */
  sourcePort(i: number): number {
    return this.#names[i * NAME + 2] << 8 | this.#names[i * NAME + 3];
  }

  /** Copies the `sockaddr` that message `i` came from; returns its length, at most 28. */
  copySource(i: number, into: Uint8Array, at: number): number {
    const from = i * NAME;
    for (let j = 0; j < this.#nameOctets; j++) into[at + j] = this.#names[from + j];
    return this.#nameOctets;
  }

  /** Copies message `i`. */
  copyMessage(i: number, into: Uint8Array, at: number): void {
    const octets = this.octets(i);
    const from = i * SLOT_OCTETS;
    for (let j = 0; j < octets; j++) into[at + j] = this.packets[from + j];
  }

  /** Queues the answer to message `i`, which stands in its place; at most one for each message. */
  queueAnswer(i: number, octets: number): void {
    // Nobody listens there (RFC 768: no port); the kernel refuses it.
    if (this.sourcePort(i) === 0) return;
    const position = this.#queued++;
    if (this.#target[position] !== i) this.#pointQueued(position, i);
    this.#words[(AT.QUEUED_IOVECS + position * IOVEC) / 4 + 2] = octets;
  }

  /**
   * Sends what is queued. A message that the kernel refuses is left out; a full send buffer is waited for
   * once, and shortly.
   *
   * @returns how many were not sent
   * @throws SystemCallError where the socket is gone
   */
  flush(): number {
    const queued = this.#queued;
    this.#queued = 0;
    let refused = 0;
    let waited = false;
    for (let done = 0; done < queued;) {
      const sent = this.#call.sendmmsg(
        this.#fd,
        this.#queuedFrom[done],
        queued - done,
        MSG_DONTWAIT,
      );
      if (sent > 0) {
        done += sent;
        continue;
      }
      const errno = this.#errno();
      if (errno === Errno.EINTR) continue;
      if (errno === Errno.EAGAIN) {
        if (waited || this.#call.poll(this.#pollSend, 1n, SEND_WAIT_MS) <= 0) {
          return refused + queued - done;
        }
        waited = true;
        continue;
      }
      this.#throwIfFatal(errno, "Could not send");
      // sendmmsg(2) stops before a message that it cannot send, and tells why at the next call.
      refused++;
      done++;
    }
    return refused;
  }

  #throwIfFatal(errno: number, what: string): void {
    if (
      errno === Errno.EBADF || errno === Errno.ENOTSOCK || errno === Errno.EFAULT ||
      errno === Errno.EINVAL
    ) {
      throw new SystemCallError(errno, `${what} on UDP socket ${this.#fd}`);
    }
  }

  /** Writes the parts of a `struct mmsghdr` that never change. */
  #fillHeader(header: number, iovec: number): void {
    this.#writeAddress(header + Field.IOVEC * 4, iovec);
    this.#words[header / 4 + Field.IOVECS] = 1;
    // The kernel writes what it needed, which is the same for every datagram of a socket.
    this.#words[header / 4 + Field.NAME_OCTETS] = this.#nameOctets;
  }

  /** Makes a position of the queue send what stands in place `i` to where message `i` came from. */
  #pointQueued(position: number, i: number): void {
    this.#target[position] = i;
    this.#writeAddress(AT.QUEUED + position * HEADER, AT.NAMES + i * NAME);
    this.#writeAddress(AT.QUEUED_IOVECS + position * IOVEC, i * SLOT_OCTETS);
  }

  /** Writes the address of `target`, as two halves: as one it would be a BigInt. */
  #writeAddress(at: number, target: number): void {
    const address = this.#base + target;
    this.#words[at / 4] = address % 0x1_0000_0000;
    this.#words[at / 4 + 1] = address / 0x1_0000_0000;
  }
}
