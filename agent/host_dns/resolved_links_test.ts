import assert from "node:assert/strict";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import type { LocalSocket } from "../system/local_socket.ts";
import type { DbusValue } from "./dbus_message.ts";
import { readResolvedLinks, scopeOfLink } from "./resolved_links.ts";

/** Replies of systemd-resolved 257 as they came: to Get of `DNSEx`, and GetAll of a link. */
const SERVERS = Uint8Array.fromBase64(
  "bAIBAbEBAABTAAAALgAAAAUBdQACAAAABgFzAAUAAAA6MS41MwAAAAgBZwABdgAABwFzAAUAAAA6MS40MAAAAAlhKGlpYXlxcykAAKEBAAAAAAAAAgAAAAQAAADAAAJjAAAAAAAAAAAAAAAAAAAAAAEAAAACAAAABAAAAH8AAAHNOgAAAAAAAAAAAAAAAAAABgAAAAIAAAAEAAAAywBxNQAAAAAAAAAAAAAAAAAAAAAGAAAAAgAAAAQAAADLAHE2AAAAAA8AAABkbnMuZXhhbXBsZS5vcmcABgAAAAoAAAAQAAAA/oAAAAAAAAAAAAAAAAAACQAAAAAAAAAAAAAAAAIAAAACAAAABAAAAMAAAjUAAAAAAAAAAAAAAAAAAAAAAgAAAAoAAAAQAAAAIAENuAAAAAAAAAAAAAAAUwAAAAAAAAAAAAAAAAgAAAACAAAABAAAAMsAcZkAAAAAAAAAAAAAAAAAAAAACAAAAAIAAAAEAAAAywBxmgAAAAAAAAAAAAAAAAAAAAAEAAAAAgAAAAQAAADGM2Q16RQAAA8AAABkbnMuZXhhbXBsZS5vcmcABAAAAAoAAAAQAAAA/oAAAAAAAAAAAAAAAAAAAQAAAAAAAAAAAAAAAAQAAAACAAAABAAAAMYzZDYAAAAAAAAAAAA=",
);
const LINK = Uint8Array.fromBase64(
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
const HELLO = reply();
const EMPTY_LINK = reply({
  fields: field(8, "g", [5], "a{sv}"),
  body: [0, 0, 0, 0, 0, 0, 0, 0],
});
const ERROR = reply({ kind: 3, fields: field(4, "s", [6, 0, 0, 0], "a.b.cc") });
const AUTHENTICATED = "DATA\r\nOK 0123456789abcdef\r\n";

/** A bus that gives these octets for each thing that is written to it, a few at a time. */
function fakeBus(replies: (string | Uint8Array<ArrayBuffer> | undefined)[], chunk = 1000) {
  const written: string[] = [];
  let unread = new Uint8Array();
  let wake = () => {};
  let closed = false;
  const socket: LocalSocket = {
    write(bytes) {
      written.push(new TextDecoder("latin1").decode(bytes));
      const reply = replies.shift();
      if (typeof reply === "string") unread = new TextEncoder().encode(reply);
      else if (reply !== undefined) unread = withSerial(reply, written.length - 1);
      return Promise.resolve();
    },
    async read() {
      while (unread.length === 0 && !closed) await new Promise<void>((next) => wake = next);
      if (closed) return undefined;
      const next = unread.slice(0, chunk);
      unread = unread.slice(chunk);
      return next;
    },
    close() {
      closed = true;
      wake();
    },
  };
  return { socket, written, isClosed: () => closed };
}

/** REPLY_SERIAL is the first field of every fixture. */
function withSerial(reply: Uint8Array<ArrayBuffer>, serial: number): Uint8Array<ArrayBuffer> {
  const octets = reply.slice();
  new DataView(octets.buffer).setUint32(20, serial, true);
  return octets;
}

Deno.test("readResolvedLinks() asks systemd-resolved about its links", async () => {
  // The links of SERVERS in order: 1 (the agent's own, on lo), 2, 4, 6, 8.
  const replies = [AUTHENTICATED, HELLO, SERVERS, EMPTY_LINK, EMPTY_LINK, EMPTY_LINK, LINK];
  for (const chunk of [1000, 7]) {
    const bus = fakeBus([...replies, EMPTY_LINK], chunk);
    const paths: string[] = [];
    const connectLocal = (path: string) => {
      paths.push(path);
      return Promise.resolve(bus.socket);
    };
    const scopes = await readResolvedLinks({ connectLocal, clock: new ManualClock() });
    assert.deepEqual(scopes, [{
      source: "link 6 of systemd-resolved",
      link: 6,
      servers: [
        { address: "203.0.113.53" },
        { address: "203.0.113.54", serverName: "dns.example.org" },
        { address: "fe80::9%6" },
      ],
      domains: [
        { domain: "lan.example", routeOnly: false },
        { domain: "corp.example", routeOnly: true },
        { domain: "", routeOnly: true },
      ],
      defaultRoute: true,
      dnsOverTls: "opportunistic",
    }]);
    assert.deepEqual(paths, ["/run/dbus/system_bus_socket"]);
    assert.equal(bus.written.length, replies.length + 1);
    assert.ok(bus.written[6].includes("/org/freedesktop/resolve1/link/_36\0"));
    assert.ok(bus.isClosed());
  }
});

Deno.test("readResolvedLinks() says why it cannot tell", async (t) => {
  const cases: [string, (string | Uint8Array<ArrayBuffer> | undefined)[], RegExp][] = [
    ["not let in", ["REJECTED EXTERNAL\r\n"], /refuses: "REJECTED EXTERNAL"/],
    ["not a bus", [AUTHENTICATED, "xxxxxxxxxxxxxxxxxxxxxxxx"], /malformed/],
    [
      "resolved does not run",
      [AUTHENTICATED, HELLO, ERROR],
      /org\.freedesktop\.resolve1 refuses Get: a\.b\.cc/,
    ],
    ["no answer", [AUTHENTICATED, undefined], /does not answer/],
  ];
  for (const [title, replies, expected] of cases) {
    await t.step(title, async () => {
      const clock = new ManualClock();
      const bus = fakeBus(replies);
      const found = readResolvedLinks({ connectLocal: () => Promise.resolve(bus.socket), clock });
      const refused = assert.rejects(found, expected);
      await settle();
      await clock.advance(2_000);
      await refused;
      assert.ok(bus.isClosed());
      assert.equal(clock.pendingCount, 0);
    });
  }
});

Deno.test("scopeOfLink() reads a link's properties", async (t) => {
  const server: DbusValue = [2, Uint8Array.of(192, 0, 2, 1), 0, ""];
  const cases: [string, Record<string, DbusValue>, string[] | undefined][] = [
    ["a server", { DNSEx: [server] }, ["192.0.2.1"]],
    ["in use", { DNSEx: [server], ScopesMask: 7 }, ["192.0.2.1"]],
    ["not in use: no carrier", { DNSEx: [server], ScopesMask: 6 }, undefined],
    ["no server", { DNSEx: [] }, undefined],
    ["no such property", {}, undefined],
    ["another shape", { DNSEx: [1, "a", [2, "x"], [2, Uint8Array.of(1)]], Domains: 3 }, undefined],
  ];
  for (const [title, properties, expected] of cases) {
    await t.step(title, () => {
      const scope = scopeOfLink(2, new Map(Object.entries(properties)));
      assert.deepEqual(scope?.servers.map(({ address }) => address), expected);
    });
  }
});
