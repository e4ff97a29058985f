/**
 * Messages on TCP and TLS sockets: framing by two octets of length (RFC 1035 section 4.2.2), and the
 * roots that TLS is verified by. A part of the adapter of `network.ts`, which owns the sockets.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { getCACertificates, type TLSSocket } from "node:tls";
import type { MessageStream, MessageStreamHandlers } from "./network.ts";

/** The stream of a socket that is being connected, once `event` says that it is. */
export function connectedStream(
  socket: Socket | TLSSocket,
  event: "connect" | "secureConnect",
  { handlers, signal }: { handlers: MessageStreamHandlers; signal: AbortSignal },
): Promise<MessageStream> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      socket.destroy();
      reject(signal.reason);
    };
    // An error after the abort has nobody to tell.
    const fail = (error: Error) => {
      signal.removeEventListener("abort", abort);
      reject(error);
    };
    socket.on("error", fail);
    socket.once("close", () => fail(new Error("the connection was closed at once")));
    socket.once(event, () => {
      signal.removeEventListener("abort", abort);
      socket.off("error", fail);
      const [stream, start] = acceptedStream(socket);
      start(handlers);
      resolve(stream);
    });
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

/**
 * The stream of a socket that is connected, and what sets it going once its handlers are known.
 */
export function acceptedStream(
  socket: Socket,
): [MessageStream, (handlers: MessageStreamHandlers) => void] {
  const stream: MessageStream = {
    remote: { address: socket.remoteAddress ?? "", port: socket.remotePort ?? 0 },
    local: { address: socket.localAddress ?? "", port: socket.localPort ?? 0 },
    send(message) {
      if (socket.destroyed) return;
      const frame = new Uint8Array(2 + message.length);
      frame[0] = message.length >> 8;
      frame[1] = message.length & 0xff;
      frame.set(message, 2);
      socket.write(frame);
    },
    get queuedOctets() {
      return socket.writableLength;
    },
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    close: () => void socket.end(),
    destroy: () => void socket.destroy(),
  };
  return [stream, (handlers) => {
    let pending: Uint8Array = new Uint8Array(0);
    let failure: Error | undefined;
    socket.on("data", (chunk: Uint8Array) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length >= 2) {
        const length = pending[0] << 8 | pending[1];
        if (pending.length < 2 + length) break;
        // A copy: `slice` of a Buffer would be a view of what else came with it.
        const message = new Uint8Array(pending.subarray(2, 2 + length));
        pending = pending.subarray(2 + length);
        handlers.onMessage(message);
      }
    });
    socket.on("error", (error: Error) => failure = error);
    socket.on("close", () => handlers.onClose(failure));
  }];
}

let rootsOfSystem: string[] | undefined;

/** The root certificates that this machine trusts, read once (4 ms); the runtime's where it has none. */
export function systemRoots(): string[] {
  if (rootsOfSystem === undefined) {
    const own = getCACertificates("system");
    rootsOfSystem = own.length > 0 ? own : getCACertificates("bundled");
  }
  return rootsOfSystem;
}
