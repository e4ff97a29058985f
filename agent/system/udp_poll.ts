/**
 * Waiting for several sockets at once, in a thread that does nothing else meanwhile.
 *
 * @module
 */
import { Errno, type Libc, libc, SystemCallError } from "./libc.ts";

/** A `struct pollfd`: the file descriptor, what is waited for, what came. */
const POLLFD_OCTETS = 8;
const POLLIN = 1;
const POLLNVAL = 0x20;

/** Waits for sockets, and for an eventfd that ends the wait. */
export class UdpPoll {
  readonly #call: Libc["call"];
  readonly #errno: () => number;
  readonly #wakeFd: number;
  readonly #count: number;
  /** The `struct pollfd` of each socket, then the eventfd's; kept, since the kernel writes here. */
  readonly #events: Uint16Array<ArrayBuffer>;
  readonly #memory: Deno.PointerValue;
  readonly #polled: bigint;
  readonly #wakeCount = new Uint8Array(new ArrayBuffer(8));

  /**
   * Makes the memory.
   *
   * @param fds sockets
   * @param wakeFd an eventfd, non-blocking
   * @param library the C library of this thread
   */
  constructor(fds: readonly number[], wakeFd: number, library: Libc = libc()) {
    const { call, errno } = library;
    this.#call = call;
    this.#errno = errno;
    this.#wakeFd = wakeFd;
    this.#count = fds.length;
    this.#polled = BigInt(fds.length + 1);
    const words = new Int32Array((fds.length + 1) * POLLFD_OCTETS / 4);
    [...fds, wakeFd].forEach((fd, i) => {
      words[2 * i] = fd;
      words[2 * i + 1] = POLLIN;
    });
    this.#events = new Uint16Array(words.buffer);
    this.#memory = Deno.UnsafePointer.of(words);
  }

  /**
   * Waits until there is something on a socket, or the eventfd was written to, which is read empty.
   *
   * @throws {SystemCallError} where a socket is gone
   */
  wait(): void {
    const ready = this.#call.poll(this.#memory, this.#polled, -1);
    if (ready < 0) {
      for (let socket = 0; socket < this.#count; socket++) this.#events[4 * socket + 3] = 0;
      const code = this.#errno();
      // A signal, or memory that is short for a moment.
      if (code === Errno.EINTR || code === Errno.ENOMEM || code === Errno.EAGAIN) return;
      throw new SystemCallError(code, "Could not wait for UDP sockets");
    }
    if (this.#events[4 * this.#count + 3] !== 0) this.#call.read(this.#wakeFd, this.#wakeCount, 8n);
    for (let socket = 0; socket < this.#count; socket++) {
      if ((this.#events[4 * socket + 3] & POLLNVAL) === 0) continue;
      throw new SystemCallError(Errno.EBADF, "Could not wait for UDP sockets");
    }
  }

  /** Whether the last wait found something on a socket. */
  isReady(socket: number): boolean {
    return this.#events[4 * socket + 3] !== 0;
  }
}
