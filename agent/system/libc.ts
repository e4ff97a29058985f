/**
 * The C library, by FFI: the one place that opens it. Owns which functions are called with which types,
 * and how a call's failure is told. Knows nothing of what the calls are for.
 *
 * Structures (`sockaddr`, `msghdr`, `iovec`, `pollfd`, `timespec`) and constants are those of Linux on
 * x86-64 and arm64, which are the same for all that is used but `epoll_event`; any other machine is
 * refused.
 *
 * @module
 */
import { getSystemErrorName } from "node:util";
import { AgentError, messageOf } from "./agent_error.ts";

/**
 * The functions. Memory that is written once and used again and again is given by address (`pointer`: a
 * call costs 5 ns), everything else as a `buffer` (20 ns). `ssize_t` is taken as 32 bits, since no call
 * here moves more: a 64-bit result would be a BigInt.
 */
export const FUNCTIONS = {
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  bind: { parameters: ["i32", "buffer", "u32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
  getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
  recvmmsg: { parameters: ["i32", "pointer", "u32", "i32", "pointer"], result: "i32" },
  sendmmsg: { parameters: ["i32", "pointer", "u32", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "pointer", "usize", "i32", "pointer", "u32"], result: "i32" },
  recvfrom: {
    parameters: ["i32", "pointer", "usize", "i32", "pointer", "pointer"],
    result: "i32",
  },
  epoll_create1: { parameters: ["i32"], result: "i32" },
  epoll_ctl: { parameters: ["i32", "i32", "i32", "pointer"], result: "i32" },
  epoll_wait: { parameters: ["i32", "pointer", "i32", "i32"], result: "i32" },
  poll: { parameters: ["pointer", "u64", "i32"], result: "i32" },
  if_nametoindex: { parameters: ["buffer"], result: "u32" },
  eventfd: { parameters: ["u32", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  write: { parameters: ["i32", "buffer", "usize"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

/** The functions of the C library, and the error of the one that failed last. */
export interface Libc {
  /** The functions by name. */
  readonly call: Deno.StaticForeignLibraryInterface<typeof FUNCTIONS>;
  /** `errno` of this thread: to be read at once after a call that failed. */
  errno(): number;
}

/** Numbers of errors that are told apart; the same on every Linux that is not refused. */
export const Errno = {
  /** Interrupted by a signal. */
  EINTR: 4,
  /** No such file descriptor. */
  EBADF: 9,
  /** Nothing there, or no room. */
  EAGAIN: 11,
  /** No memory. */
  ENOMEM: 12,
  /** Not an address of this process. */
  EFAULT: 14,
  /** An argument that makes no sense. */
  EINVAL: 22,
  /** Not a socket. */
  ENOTSOCK: 88,
} as const;

/** A system call that failed; the code is the name of its error, e.g. `EADDRINUSE`. */
export class SystemCallError extends AgentError {
  /** `errno`. */
  readonly errno: number;

  /**
   * Tells what failed.
   *
   * @param errno what the C library said
   * @param what what could not be done, to what: `Could not bind 192.0.2.1:53`
   */
  constructor(errno: number, what: string) {
    const name = getSystemErrorName(-errno) ?? `ERRNO_${errno}`;
    super(name, `${what}: ${name}`);
    this.errno = errno;
  }
}

let opened: Libc | undefined;

/**
 * The C library of this machine, opened at the first call. Each thread has its own.
 *
 * @throws AgentError `LIBC_UNAVAILABLE` where there is no glibc, no permission, or another machine
 */
export function libc(): Libc {
  return opened ??= open();
}

function open(): Libc {
  const { os, arch } = Deno.build;
  const isLittleEndian = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;
  if (os !== "linux" || !["x86_64", "aarch64"].includes(arch) || !isLittleEndian) {
    throw new AgentError("LIBC_UNAVAILABLE", `Could not open the C library of ${os} on ${arch}`);
  }
  let call: Libc["call"];
  try {
    call = Deno.dlopen("libc.so.6", FUNCTIONS).symbols;
  } catch (cause) {
    throw new AgentError(
      "LIBC_UNAVAILABLE",
      `Could not open the C library "libc.so.6": ${messageOf(cause)}`,
      { cause },
    );
  }
  // Where errno lies does not change while a thread lives. Reading it there is a load from memory: a
  // call could fail in between, inside the runtime, and overwrite it.
  const errno = new Int32Array(Deno.UnsafePointerView.getArrayBuffer(call.__errno_location()!, 4));
  return { call, errno: () => errno[0] };
}
