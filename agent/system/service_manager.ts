/**
 * The service manager (systemd) that started this process, as a port: it is told when the process is
 * ready, well, about to read its configuration again or to end. The adapter sends datagrams to the
 * socket of sd_notify(3) through the C library: the runtime has no Unix datagrams that need no flag.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { AgentError } from "./agent_error.ts";
import { Errno, libc, SystemCallError } from "./libc.ts";
import type { ServiceVariables } from "./service_variables.ts";

/** What is told. */
export interface ServiceNotice {
  /** What happened; `alive` is for its watchdog. */
  event?: "ready" | "reloading" | "stopping" | "alive";
  /** How the process is, in words for people (`systemctl status`). */
  status?: string;
  /** How much longer the start may take, in milliseconds from now. */
  extendMs?: number;
}

/** A service manager. */
export interface ServiceManager {
  /** How often it wants to hear `alive`, in milliseconds; undefined where it does not. */
  readonly watchdogMs?: number;
  /** Tells it. Never throws: who cannot be told finds out by its own timeouts. */
  notify(notice: ServiceNotice): void;
}

/** How long a notice waits that the service manager has no room for, in milliseconds. */
const RETRY_MS = 100;
/** Notices that wait; past that the oldest is dropped. */
const WAITING_MAX = 16;

/**
 * A notice in the form of sd_notify(3): an assignment a line.
 *
 * @param monotonicUs CLOCK_MONOTONIC in microseconds: what a reload is matched by
 */
export function encodeNotice(
  { event, status, extendMs }: ServiceNotice,
  monotonicUs: number | bigint,
): string {
  return [
    ...event === "ready" ? ["READY=1"] : [],
    ...event === "reloading" ? ["RELOADING=1", `MONOTONIC_USEC=${monotonicUs}`] : [],
    ...event === "stopping" ? ["STOPPING=1"] : [],
    ...event === "alive" ? ["WATCHDOG=1"] : [],
    ...extendMs === undefined ? [] : [`EXTEND_TIMEOUT_USEC=${Math.round(extendMs * 1000)}`],
    // A line feed would begin another assignment.
    ...status === undefined ? [] : [`STATUS=${status.replaceAll(/\s+/g, " ")}`],
  ].join("\n");
}

/**
 * The service manager that gave these variables; undefined where there is none.
 *
 * @throws AgentError `SERVICE_MANAGER_UNREACHABLE` or one of the C library: a process that cannot say
 * that it is ready would be killed without a reason
 */
export function openServiceManager(
  { notifySocket, watchdogMs }: Pick<ServiceVariables, "notifySocket" | "watchdogMs">,
): ServiceManager | undefined {
  if (notifySocket === undefined) return undefined;
  const address = unixAddress(notifySocket);
  const addressAt = Deno.UnsafePointer.of(address);
  const { call, errno } = libc();
  const fd = call.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) throw new SystemCallError(errno(), "Could not open a socket for the service manager");
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  const send = () => {
    while (waiting.length > 0) {
      const [message] = waiting;
      // Never waits: names are answered also while the service manager is busy with itself.
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      const size = BigInt(message.length);
      const at = Deno.UnsafePointer.of(message);
      const sent = call.sendto(fd, at, size, flags, addressAt, address.length);
      if (sent < 0 && errno() === Errno.EAGAIN) return void setTimeout(send, RETRY_MS);
      waiting.shift();
    }
  };
  return {
    ...(watchdogMs !== undefined && { watchdogMs }),
    notify(notice) {
      const idle = waiting.length === 0;
      const message = new TextEncoder().encode(encodeNotice(notice, monotonicMicroseconds()));
      waiting = [...waiting, message].slice(-WAITING_MAX);
      if (idle) send();
    },
  };
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
const CLOCK_MONOTONIC = 1;
/** Length of `sun_path`, less the octet that ends a path. */
const PATH_OCTETS_MAX = 107;

/** `struct sockaddr_un`, as long as it is used: an abstract name has no end but that. */
function unixAddress(text: string): Uint8Array<ArrayBuffer> {
  const path = Buffer.from(text);
  if (!/^[/@]./.test(text) || path.length > PATH_OCTETS_MAX) {
    throw new AgentError(
      "SERVICE_MANAGER_UNREACHABLE",
      `Could not tell the service manager anything: NOTIFY_SOCKET is "${text}", which is no path and no ` +
        "abstract name. Unset it.",
    );
  }
  const address = new Uint8Array(2 + path.length);
  new DataView(address.buffer).setUint16(0, AF_UNIX, true);
  address.set(path, 2);
  if (text.startsWith("@")) address[2] = 0;
  return address;
}

/** The runtime's own clock counts from the start of the process. */
function monotonicMicroseconds(): bigint {
  const time = new BigInt64Array(2);
  libc().call.clock_gettime(CLOCK_MONOTONIC, time);
  return time[0] * 1_000_000n + time[1] / 1000n;
}
