/**
 * Sockets that a service manager opened, and keeps: what they are, and how the agent reads them. Nothing
 * about them is changed (shutdown, fcntl and SO_RCVTIMEO would be seen by whoever holds them as well), and
 * what is not read here waits for the next process.
 *
 * @module
 */
import { type BindOptions, createSocket } from "node:dgram";
import process from "node:process";
import { setImmediate } from "node:timers";
import { SystemCallError } from "./libc.ts";
import type { UdpHandlers, UdpSocket } from "./network.ts";
import { nodeDgramSocket } from "./node_dgram_socket.ts";
import type { SocketAddress } from "./socket_address.ts";
import { adoptUdpSocket, boundAddress, SO_TYPE, SOCK_DGRAM, socketOption } from "./udp_listener.ts";

/** A socket that was open when the process started. */
export interface InheritedSocket {
  /** Its file descriptor. */
  readonly fd: number;
  /** UDP, or TCP that listens. */
  readonly kind: "udp" | "tcp";
  /** What it is bound to. */
  readonly local: SocketAddress;
}

const SO_ACCEPTCONN = 30;

/** Those of `descriptors` on which DNS can be served; others are passed over. */
export function inheritedSockets(descriptors: readonly { fd: number }[]): InheritedSocket[] {
  return descriptors.flatMap(({ fd }) => {
    const kind = kindOf(fd);
    const local = kind && boundAddress(fd);
    return kind === undefined || local === undefined || local.port === 0
      ? []
      : [{ fd, kind, local }];
  });
}

/** Undefined where it is another kind, or no socket. */
function kindOf(fd: number): InheritedSocket["kind"] | undefined {
  try {
    if (socketOption(fd, SO_TYPE) === SOCK_DGRAM) return "udp";
    return socketOption(fd, SO_ACCEPTCONN) === 1 ? "tcp" : undefined;
  } catch (error) {
    if (error instanceof SystemCallError) return undefined;
    throw error;
  }
}

/**
 * Reads and writes a UDP socket. Closing it here leaves it open for whoever else holds it.
 *
 * @throws SystemCallError, AgentError where `fd` is no UDP socket
 */
export async function openInheritedUdp(fd: number, handlers: UdpHandlers): Promise<UdpSocket> {
  const { local } = adoptUdpSocket(fd);
  // node:dgram cannot be given a descriptor on this runtime (`bind({ fd })` throws), but a handle.
  const { UDP } = (process as unknown as UndocumentedProcess).binding("udp_wrap");
  const handle = new UDP();
  const status = handle.open(fd);
  if (status < 0) throw new SystemCallError(-status, `Could not read socket ${fd}`);
  const socket = createSocket(local.address.includes(":") ? "udp6" : "udp4");
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(handle as unknown as BindOptions, () => {
      socket.off("error", reject);
      resolve();
    });
  });
  return {
    ...nodeDgramSocket(socket, local, handlers),
    async stopReading() {
      handle.recvStop();
      // One that the runtime has read already comes with the next turns of its loop: closed before, the
      // socket takes it along (seen: one question lost at each restart under load).
      for (let turn = 0; turn < 2; turn++) await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

/** What node's own modules are made of; only what is used. */
interface UndocumentedProcess {
  binding(name: "udp_wrap"): { UDP: new () => UdpHandle };
}

interface UdpHandle {
  /** @returns 0, or an error number below it */
  open(fd: number): number;
  /** What comes from then on is left to the kernel. */
  recvStop(): number;
}
