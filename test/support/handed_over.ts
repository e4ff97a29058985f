/**
 * Sockets such as a service manager hands over: opened through the C library, and held open by the test
 * beside whoever takes them over.
 *
 * @module
 */
import { libc } from "../../agent/system/libc.ts";

const AF_INET = 2;
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;

/** What only these tests call. */
const more = Deno.dlopen("libc.so.6", {
  dup: { parameters: ["i32"], result: "i32" },
  listen: { parameters: ["i32", "i32"], result: "i32" },
}).symbols;

/** One socket on 127.0.0.1. */
export class HandedOver implements Disposable {
  /** For who takes it over, and closes it. */
  readonly fd: number;
  readonly #kept: number;

  /** Opens one; of TCP it listens unless told not to. */
  constructor(
    kind: "udp" | "tcp",
    { port = 0, listens = true }: { port?: number; listens?: boolean } = {},
  ) {
    const { call } = libc();
    const type = kind === "udp" ? SOCK_DGRAM : SOCK_STREAM;
    this.fd = call.socket(AF_INET, type | SOCK_NONBLOCK, 0);
    const address = new Uint8Array(16);
    address.set([AF_INET, 0, port >> 8, port & 0xff, 127, 0, 0, 1]);
    if (call.bind(this.fd, address, address.length) !== 0) throw new Error(`bind: ${port}`);
    if (kind === "tcp" && listens) more.listen(this.fd, 10);
    this.#kept = more.dup(this.fd);
  }

  /** Its port. */
  get port(): number {
    const address = new Uint8Array(16);
    libc().call.getsockname(this.#kept, address, Uint32Array.of(address.length));
    return address[2] << 8 | address[3];
  }

  /** The next datagram that nobody has read, as text. */
  read(): string | undefined {
    const buffer = new Uint8Array(1000);
    const octets = libc().call.read(this.#kept, buffer, BigInt(buffer.length));
    return octets < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, octets));
  }

  /** Closes the test's own hold of it. */
  [Symbol.dispose](): void {
    libc().call.close(this.#kept);
  }
}
