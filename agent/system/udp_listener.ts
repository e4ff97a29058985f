/**
 * UDP sockets as file descriptors: made here or inherited, read by workers (`udp_batch.ts`) and written
 * to by the main thread too. Owns how they are set up.
 *
 * @module
 */
import { AgentError } from "./agent_error.ts";
import { libc, SystemCallError } from "./libc.ts";
import { AF_INET, AF_INET6, decodeSockaddr, encodeSockaddr, SOCKADDR_OCTETS } from "./sockaddr.ts";
import { formatSocketAddress, type SocketAddress } from "./socket_address.ts";

/** A UDP socket. */
export interface UdpDescriptor {
  /** Its file descriptor. */
  readonly fd: number;
  /** What it is bound to, with the port that the kernel chose. */
  readonly local: SocketAddress;
}

/** How a socket is set up. */
export interface UdpSocketOptions {
  /** The kernel's receive buffer, where bursts wait; the kernel may give less. */
  receiveBufferBytes: number;
}

/** `SOCK_DGRAM`: UDP. */
export const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
/** The option that tells the kind of a socket: {@link SOCK_DGRAM}, … */
export const SO_TYPE = 3;
const SO_RCVBUF = 8;
const SO_DOMAIN = 39;
const IPPROTO_IPV6 = 41;
const IPV6_V6ONLY = 26;
const MSG_DONTWAIT = 0x40;

/** The longest message that is sent; the kernel refuses one that is longer than a datagram can be. */
const MESSAGE_OCTETS = 65_536;

/** What is sent next: memory whose address is known, see `FUNCTIONS`. */
interface Outgoing {
  message: Uint8Array<ArrayBuffer>;
  to: Uint8Array<ArrayBuffer>;
  messageAt: Deno.PointerValue;
  toAt: Deno.PointerValue;
}

let outgoing: Outgoing | undefined;

/**
 * Opens a UDP socket; one of IPv6 takes no IPv4.
 *
 * @throws SystemCallError (EADDRINUSE, EACCES, EADDRNOTAVAIL, …); AgentError where there is no C library
 */
export function openUdpSocket(local: SocketAddress, options: UdpSocketOptions): UdpDescriptor {
  const { call, errno } = libc();
  const text = formatSocketAddress(local);
  const name = encodeSockaddr(local, interfaceIndex);
  if (name === undefined) {
    throw new AgentError("EADDRNOTAVAIL", `Could not open UDP socket ${text}: no such address`);
  }
  const isIPv6 = name[0] === AF_INET6;
  const fd = call.socket(isIPv6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError(errno(), `Could not open UDP socket ${text}`);
  try {
    setOption(fd, [SOL_SOCKET, SO_RCVBUF], options.receiveBufferBytes);
    if (isIPv6) setOption(fd, [IPPROTO_IPV6, IPV6_V6ONLY], 1);
    if (call.bind(fd, name, name.length) !== 0) {
      throw new SystemCallError(errno(), `Could not bind UDP socket ${text}`);
    }
    return { fd, local: boundAddress(fd)! };
  } catch (error) {
    call.close(fd);
    throw error;
  }
}

/**
 * Takes over a socket that another process opened and may keep: nothing is changed about it.
 *
 * @throws SystemCallError where it is no socket; AgentError `SOCKET_UNUSABLE` where it is another kind
 */
export function adoptUdpSocket(fd: number): UdpDescriptor {
  const family = socketOption(fd, SO_DOMAIN);
  const local = boundAddress(fd);
  if (
    socketOption(fd, SO_TYPE) !== SOCK_DGRAM || (family !== AF_INET && family !== AF_INET6) ||
    local === undefined || local.port === 0
  ) {
    throw new AgentError(
      "SOCKET_UNUSABLE",
      `Could not use file descriptor ${fd}: it is no bound UDP socket`,
    );
  }
  return { fd, local };
}

/**
 * Sends one datagram, without waiting.
 *
 * @param to a `sockaddr`, as `decodeSockaddr` reads it
 * @returns what went wrong; undefined where it was sent
 */
export function sendDatagram(
  fd: number,
  message: Uint8Array,
  to: Uint8Array,
): SystemCallError | undefined {
  const { call, errno } = libc();
  outgoing ??= newOutgoing();
  const octets = Math.min(message.length, MESSAGE_OCTETS);
  outgoing.message.set(octets < message.length ? message.subarray(0, octets) : message);
  outgoing.to.set(to);
  const { messageAt, toAt } = outgoing;
  const sent = call.sendto(fd, messageAt, BigInt(octets), MSG_DONTWAIT, toAt, to.length);
  return sent < 0 ? new SystemCallError(errno(), "Could not send a datagram") : undefined;
}

function newOutgoing(): Outgoing {
  const message = new Uint8Array(MESSAGE_OCTETS);
  const to = new Uint8Array(new ArrayBuffer(SOCKADDR_OCTETS));
  return {
    message,
    to,
    messageAt: Deno.UnsafePointer.of(message),
    toAt: Deno.UnsafePointer.of(to),
  };
}

/** Closes a file descriptor. A worker that polls it is not woken: it has to be stopped before. */
export function closeDescriptor(fd: number): void {
  libc().call.close(fd);
}

/** The index of an interface; 0 where there is none of this name. */
export function interfaceIndex(name: string): number {
  return libc().call.if_nametoindex(new TextEncoder().encode(`${name}\0`));
}

/**
 * What a socket is bound to; undefined where it is of neither IPv4 nor IPv6.
 *
 * @throws SystemCallError where it is no socket
 */
export function boundAddress(fd: number): SocketAddress | undefined {
  const { call, errno } = libc();
  const name = new Uint8Array(SOCKADDR_OCTETS);
  if (call.getsockname(fd, name, Uint32Array.of(name.length)) !== 0) {
    throw new SystemCallError(errno(), `Could not use file descriptor ${fd} as a socket`);
  }
  return decodeSockaddr(name);
}

function setOption(fd: number, [level, option]: [number, number], value: number): void {
  const { call, errno } = libc();
  if (call.setsockopt(fd, level, option, Int32Array.of(value), 4) !== 0) {
    throw new SystemCallError(errno(), `Could not set option ${option} of a UDP socket`);
  }
}

/**
 * An option of a socket: a number of level `SOL_SOCKET`.
 *
 * @throws SystemCallError where it is no socket
 */
export function socketOption(fd: number, option: number): number {
  const { call, errno } = libc();
  const value = new Int32Array(1);
  if (call.getsockopt(fd, SOL_SOCKET, option, value, Uint32Array.of(4)) !== 0) {
    throw new SystemCallError(errno(), `Could not use file descriptor ${fd} as a socket`);
  }
  return value[0];
}
