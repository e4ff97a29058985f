/**
 * The kernel's table of connections, over netlink (linux/netfilter/nfnetlink_conntrack.h): the UDP exchanges
 * with one port can be forgotten, so that the next packet of each goes the way that holds now. A socket that
 * lives on otherwise keeps the way of its first packet.
 *
 * @module
 */
import { libc, SystemCallError } from "./libc.ts";

/** What tells an exchange apart, as the kernel said it: to be sent back as it is. */
export interface TrackedExchange {
  /** Address family. */
  family: number;
  /** Protocol number, 17 for UDP. */
  protocol: number;
  /** Port of who was asked. */
  port: number;
  /** The attributes that name it. */
  name: Uint8Array<ArrayBuffer>;
}

const AF_NETLINK = 16;
const SOCK_RAW = 3;
const NETLINK_NETFILTER = 12;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const NLM_F_REQUEST = 1;
const NLM_F_ACK = 4;
const NLM_F_DUMP = 0x300;
const GET = 1 << 8 | 1;
const DELETE = 1 << 8 | 2;
const CTA_TUPLE_ORIG = 1;
const CTA_ZONE = 18;
const CTA_TUPLE_PROTO = 2;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_DST_PORT = 3;
const UDP = 17;
/** `nlmsghdr`, and with `nfgenmsg` behind it. */
const HEADER_OCTETS = 16;
const GENERIC_OCTETS = 20;
const ENOENT = 2;

/**
 * Forgets the UDP exchanges with a port of whatever address.
 *
 * @returns how many there were
 * @throws {SystemCallError} without the right to (CAP_NET_ADMIN)
 */
export function forgetUdpExchanges(port: number): number {
  using netlink = new Netlink();
  netlink.send(encodeRequest(GET, NLM_F_REQUEST | NLM_F_DUMP));
  const found: TrackedExchange[] = [];
  for (let isDone = false; !isDone;) {
    const { exchanges, done, error } = decodeAnswer(netlink.receive());
    if (error !== 0) throw new SystemCallError(error, "Could not list tracked connections");
    found.push(...exchanges);
    isDone = done;
  }
  const matching = found.filter((exchange) => exchange.protocol === UDP && exchange.port === port);
  for (const { family, name } of matching) {
    netlink.send(encodeRequest(DELETE, NLM_F_REQUEST | NLM_F_ACK, { family, attributes: name }));
    const { error } = decodeAnswer(netlink.receive());
    // One that ended by itself is no loss.
    if (error !== 0 && error !== ENOENT) {
      throw new SystemCallError(error, "Could not forget a tracked connection");
    }
  }
  return matching.length;
}

/** Encodes a request. */
export function encodeRequest(
  type: number,
  flags: number,
  { family = 0, attributes = new Uint8Array() }: {
    family?: number;
    attributes?: Uint8Array;
  } = {},
): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(GENERIC_OCTETS + attributes.length);
  const view = new DataView(message.buffer);
  view.setUint32(0, message.length, true);
  view.setUint16(4, type, true);
  view.setUint16(6, flags, true);
  message[HEADER_OCTETS] = family;
  message.set(attributes, GENERIC_OCTETS);
  return message;
}

/** Decodes what the kernel sent at once; `error` is an errno, 0 for none. */
export function decodeAnswer(
  octets: Uint8Array<ArrayBuffer>,
): { exchanges: TrackedExchange[]; done: boolean; error: number } {
  const exchanges: TrackedExchange[] = [];
  let [done, error] = [false, 0];
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = 0; at + HEADER_OCTETS <= octets.length;) {
    const length = view.getUint32(at, true);
    if (length < HEADER_OCTETS || at + length > octets.length) break;
    const type = view.getUint16(at + 4, true);
    if (type === NLMSG_DONE) done = true;
    else if (type === NLMSG_ERROR) error = 0 - view.getInt32(at + HEADER_OCTETS, true);
    else {
      const exchange = decodeExchange(octets.subarray(at + HEADER_OCTETS, at + length));
      if (exchange !== undefined) exchanges.push(exchange);
    }
    at += length + 3 & ~3;
  }
  return { exchanges, done, error };
}

function decodeExchange(message: Uint8Array<ArrayBuffer>): TrackedExchange | undefined {
  const attributes = attributesOf(message.subarray(GENERIC_OCTETS - HEADER_OCTETS));
  const tuple = attributes.get(CTA_TUPLE_ORIG);
  const protocol = tuple && attributesOf(tuple.value).get(CTA_TUPLE_PROTO);
  if (tuple === undefined || protocol === undefined) return undefined;
  const parts = attributesOf(protocol.value);
  const port = parts.get(CTA_PROTO_DST_PORT)?.value;
  const zone = attributes.get(CTA_ZONE)?.whole ?? new Uint8Array();
  return {
    family: message[0],
    protocol: parts.get(CTA_PROTO_NUM)?.value[0] ?? 0,
    port: port === undefined ? 0 : port[0] << 8 | port[1],
    name: new Uint8Array([...tuple.whole, ...zone]),
  };
}

/** Attributes by their type (`nlattr`: length, type with flags above, value, padding). */
function attributesOf(
  octets: Uint8Array<ArrayBuffer>,
): Map<number, { value: Uint8Array<ArrayBuffer>; whole: Uint8Array<ArrayBuffer> }> {
  const all = new Map<
    number,
    { value: Uint8Array<ArrayBuffer>; whole: Uint8Array<ArrayBuffer> }
  >();
  const view = new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
  for (let at = 0; at + 4 <= octets.length;) {
    const length = view.getUint16(at, true);
    if (length < 4 || at + length > octets.length) break;
    const next = at + (length + 3 & ~3);
    all.set(view.getUint16(at + 2, true) & 0x3fff, {
      value: octets.subarray(at + 4, at + length),
      whole: octets.slice(at, Math.min(next, octets.length)),
    });
    at = next;
  }
  return all;
}

/** A socket to the kernel. */
class Netlink implements Disposable {
  readonly #fd: number;

  constructor() {
    const { call, errno } = libc();
    this.#fd = call.socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER);
    if (this.#fd < 0) throw new SystemCallError(errno(), "Could not open a netlink socket");
    // Two seconds (timeval): the kernel answers at once or not at all.
    const timeout = new Uint8Array(new BigInt64Array([2n, 0n]).buffer);
    call.setsockopt(this.#fd, SOL_SOCKET, SO_RCVTIMEO, timeout, timeout.length);
  }

  send(message: Uint8Array<ArrayBuffer>): void {
    const { call, errno } = libc();
    const kernel = new Uint8Array(12);
    new DataView(kernel.buffer).setUint16(0, AF_NETLINK, true);
    const at = Deno.UnsafePointer.of;
    const size = BigInt(message.length);
    const sent = call.sendto(this.#fd, at(message), size, 0, at(kernel), kernel.length);
    if (Number(sent) < 0) throw new SystemCallError(errno(), "Could not ask the kernel by netlink");
  }

  receive(): Uint8Array<ArrayBuffer> {
    const { call, errno } = libc();
    const buffer = new Uint8Array(64 * 1024);
    const octets = Number(call.read(this.#fd, buffer, BigInt(buffer.length)));
    if (octets < 0) throw new SystemCallError(errno(), "The kernel did not answer by netlink");
    return buffer.subarray(0, octets);
  }

  [Symbol.dispose](): void {
    libc().call.close(this.#fd);
  }
}
