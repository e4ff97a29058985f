/**
 * Asks a server on loopback one question in one of the ways in which clients ask.
 *
 * @module
 */
import { createSocket } from "node:dgram";
import { createConnection } from "node:net";
import { readWire, type WireMessage } from "./wire_reader.ts";

/** How a client asks. */
export interface Style {
  /** Over which it asks. */
  transport: "udp" | "tcp";
  /** What its OPT advertises, in octets; undefined without EDNS. */
  payload?: number;
  /** DO. */
  dnssecOk?: boolean;
  /** CD. */
  checkingDisabled?: boolean;
  /** AD. */
  authenticData?: boolean;
  /** RD is not set. */
  noRecursion?: boolean;
}

/** One question: its name as octets of labels, so that every name can be asked. */
export interface Asked {
  /** The labels of its name. */
  labels: readonly Uint8Array[];
  /** Number of its type. */
  type: number;
  /** How. */
  style: Style;
}

/** How long an answer may take; a forwarder has given up by then. */
const TIMEOUT_MS = 15_000;

/** The query message of a question. */
export function encodeAsked({ labels, type, style }: Asked, id: number): Uint8Array {
  const flags = (style.noRecursion ? 0 : 0x0100) | (style.authenticData ? 0x0020 : 0) |
    (style.checkingDisabled ? 0x0010 : 0);
  const withOpt = style.payload !== undefined;
  return Uint8Array.from([
    ...uint16(id),
    ...uint16(flags),
    ...[0, 1, 0, 0, 0, 0, 0, withOpt ? 1 : 0],
    ...labels.flatMap((label) => [label.length, ...label]),
    ...[0, ...uint16(type), ...uint16(1)],
    ...(withOpt
      ? [0, 0, 41, ...uint16(style.payload!), 0, 0, style.dnssecOk ? 0x80 : 0, 0, 0, 0]
      : []),
  ]);
}

/** Asks. @throws when no answer comes, or one that does not belong to the question */
export async function ask(port: number, asked: Asked): Promise<WireMessage> {
  const id = Math.floor(Math.random() * 0x10000);
  const query = encodeAsked(asked, id);
  const answer = await (asked.style.transport === "udp" ? exchangeUdp : exchangeTcp)(port, query);
  const message = readWire(answer);
  if (message.id !== id) throw new Error(`answer with another id`);
  return message;
}

function exchangeUdp(port: number, query: Uint8Array): Promise<Uint8Array> {
  const socket = createSocket("udp4");
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const timer = setTimeout(() => reject(new Error("no answer over UDP")), TIMEOUT_MS);
  socket.once("message", resolve);
  socket.once("error", reject);
  socket.send(query, port, "127.0.0.1");
  return promise.finally(() => {
    clearTimeout(timer);
    socket.close();
  });
}

/** One message there and one back over a connection of its own. */
export function exchangeTcp(port: number, query: Uint8Array): Promise<Uint8Array> {
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const socket = createConnection(port, "127.0.0.1", () => {
    socket.write(Uint8Array.from([...uint16(query.length), ...query]));
  });
  const timer = setTimeout(() => reject(new Error("no answer over TCP")), TIMEOUT_MS);
  socket.once("error", reject);
  socket.once("close", () => reject(new Error("the TCP connection was closed")));
  readMessages(socket, resolve);
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** Calls back with each message of a stream (RFC 1035 section 4.2.2). */
export function readMessages(
  socket: { on(event: "data", listener: (chunk: Uint8Array) => void): unknown },
  onMessage: (message: Uint8Array) => void,
): void {
  let buffered = new Uint8Array(0);
  socket.on("data", (chunk) => {
    buffered = Uint8Array.from([...buffered, ...chunk]);
    for (;;) {
      const length = buffered[0] << 8 | buffered[1];
      if (buffered.length < 2 || buffered.length < 2 + length) return;
      onMessage(buffered.slice(2, 2 + length));
      buffered = buffered.slice(2 + length);
    }
  });
}

/** Two octets. */
export function uint16(value: number): [number, number] {
  return [value >> 8, value & 0xff];
}
