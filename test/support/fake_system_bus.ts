/**
 * The system bus with recorded replies of systemd-resolved.
 *
 * @module
 */
import type { LocalSocket } from "../../agent/system/local_socket.ts";

/** What the bus gives: a line of its handshake, a message, or nothing. */
export type BusReply = string | Uint8Array<ArrayBuffer> | undefined;

/** A reply of systemd-resolved 257 as it came, to Get of `DNSEx`. */
export const SERVERS = Uint8Array.fromBase64(
  "bAIBAbEBAABTAAAALgAAAAUBdQACAAAABgFzAAUAAAA6MS41MwAAAAgBZwABdgAABwFzAAUAAAA6MS40MAAAAAlhKGlpYXlxcykAAKEBAAAAAAAAAgAAAAQAAADAAAJjAAAAAAAAAAAAAAAAAAAAAAEAAAACAAAABAAAAH8AAAHNOgAAAAAAAAAAAAAAAAAABgAAAAIAAAAEAAAAywBxNQAAAAAAAAAAAAAAAAAAAAAGAAAAAgAAAAQAAADLAHE2AAAAAA8AAABkbnMuZXhhbXBsZS5vcmcABgAAAAoAAAAQAAAA/oAAAAAAAAAAAAAAAAAACQAAAAAAAAAAAAAAAAIAAAACAAAABAAAAMAAAjUAAAAAAAAAAAAAAAAAAAAAAgAAAAoAAAAQAAAAIAENuAAAAAAAAAAAAAAAUwAAAAAAAAAAAAAAAAgAAAACAAAABAAAAMsAcZkAAAAAAAAAAAAAAAAAAAAACAAAAAIAAAAEAAAAywBxmgAAAAAAAAAAAAAAAAAAAAAEAAAAAgAAAAQAAADGM2Q16RQAAA8AAABkbnMuZXhhbXBsZS5vcmcABAAAAAoAAAAQAAAA/oAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAQAAAACAAAABAAAAMYzZDYAAAAAAAAAAAA=",
);
/** The same, to GetAll of link 6; {@link SERVERS} has the links 1, 2, 4, 6 and 8, 1 the agent's own. */
export const LINK = Uint8Array.fromBase64(
  "bAIBAYwCAABVAAAANgAAAAUBdQACAAAABgFzAAUAAAA6MS41MwAAAAgBZwAFYXtzdn0AAAAAAAAHAXMABQAAADoxLjQwAAAAhAIAAAAAAAAKAAAAU2NvcGVzTWFzawABdAAAAAAAAAAHAAAAAAAAAAMAAABETlMABmEoaWF5KQA4AAAAAAAAAAIAAAAEAAAAywBxNQAAAAACAAAABAAAAMsAcTYAAAAACgAAABAAAAD+gAAAAAAAAAAAAAAAAAAJBQAAAEROU0V4AAhhKGlheXFzKQBhAAAAAgAAAAQAAADLAHE1AAAAAAAAAAAAAAAAAgAAAAQAAADLAHE2AAAAAA8AAABkbnMuZXhhbXBsZS5vcmcAAAAAAAoAAAAQAAAA/oAAAAAAAAAAAAAAAAAACQAAAAAAAAAAAAAAAAAAAAAQAAAAQ3VycmVudEROU1NlcnZlcgAFKGlheSkAAAAAAAIAAAAEAAAAywBxNQAAAAASAAAAQ3VycmVudEROU1NlcnZlckV4AAcoaWF5cXMpAAIAAAAEAAAAywBxNQAAAAAAAAAAAAAAAAcAAABEb21haW5zAAVhKHNiKQAAPAAAAAsAAABsYW4uZXhhbXBsZQAAAAAAAAAAAAwAAABjb3JwLmV4YW1wbGUAAAAAAQAAAAEAAAAuAAAAAQAAAAAAAAAMAAAARGVmYXVsdFJvdXRlAAFiAAEAAAAFAAAATExNTlIAAXMAAAAAAwAAAHllcwAMAAAATXVsdGljYXN0RE5TAAFzAAIAAABubwAAAAAAAAoAAABETlNPdmVyVExTAAFzAAAADQAAAG9wcG9ydHVuaXN0aWMAAAAGAAAARE5TU0VDAAFzAAAAAgAAAG5vAAAaAAAARE5TU0VDTmVnYXRpdmVUcnVzdEFuY2hvcnMAAmFzAAAAAAAADwAAAEROU1NFQ1N1cHBvcnRlZAABYgAAAAAAAA==",
);

/** A reply without values: `fields` are header fields after REPLY_SERIAL. */
function reply({ kind = 2, fields = [], body = [] }: {
  kind?: number;
  fields?: number[];
  body?: number[];
} = {}): Uint8Array<ArrayBuffer> {
  const header = [0x6c, kind, 1, 1, body.length, 0, 0, 0, 1, 0, 0, 0, 8 + fields.length, 0, 0, 0];
  const octets = [...header, 5, 1, 0x75, 0, 0, 0, 0, 0, ...fields];
  while (octets.length % 8 !== 0) octets.push(0);
  return Uint8Array.from([...octets, ...body]);
}

const field = (code: number, type: string, length: number[], text: string) => [
  code,
  1,
  type.charCodeAt(0),
  0,
  ...length,
  ...new TextEncoder().encode(text),
  0,
];
/** A reply without values. */
export const HELLO = reply();
/** A link without properties. */
export const EMPTY_LINK = reply({
  fields: field(8, "g", [5], "a{sv}"),
  body: [0, 0, 0, 0, 0, 0, 0, 0],
});
/** The error `a.b.cc`. */
export const ERROR = reply({ kind: 3, fields: field(4, "s", [6, 0, 0, 0], "a.b.cc") });
/** The first reply: the bus lets in. */
export const AUTHENTICATED = "DATA\r\nOK 0123456789abcdef\r\n";

/** A bus that gives one of these for each thing that is written to it, `chunk` octets at a time. */
export class FakeSystemBus implements LocalSocket {
  /** What was written to it. */
  readonly written: string[] = [];
  /** Whether it was closed. */
  isClosed = false;
  readonly #replies: BusReply[];
  readonly #chunk: number;
  #unread = new Uint8Array();
  #wake = () => {};

  /** With undefined it does not reply. */
  constructor(replies: readonly BusReply[], chunk = 1000) {
    this.#replies = [...replies];
    this.#chunk = chunk;
  }

  /** See {@link LocalSocket.write}. */
  write(bytes: Uint8Array): Promise<void> {
    this.written.push(new TextDecoder("latin1").decode(bytes));
    const reply = this.#replies.shift();
    if (typeof reply === "string") this.#unread = new TextEncoder().encode(reply);
    else if (reply !== undefined) this.#unread = withSerial(reply, this.written.length - 1);
    return Promise.resolve();
  }

  /** See {@link LocalSocket.read}. */
  async read(): Promise<Uint8Array | undefined> {
    while (this.#unread.length === 0 && !this.isClosed) {
      await new Promise<void>((next) => this.#wake = next);
    }
    if (this.isClosed) return undefined;
    const next = this.#unread.slice(0, this.#chunk);
    this.#unread = this.#unread.slice(this.#chunk);
    return next;
  }

  /** See {@link LocalSocket.close}. */
  close(): void {
    this.isClosed = true;
    this.#wake();
  }
}

/** REPLY_SERIAL is the first field of every fixture. */
function withSerial(reply: Uint8Array<ArrayBuffer>, serial: number): Uint8Array<ArrayBuffer> {
  const octets = reply.slice();
  new DataView(octets.buffer).setUint32(20, serial, true);
  return octets;
}
