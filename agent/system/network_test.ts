import assert from "node:assert/strict";
import { TlsNameServer, type TlsNameServerOptions } from "../../test/support/tls_name_server.ts";
import { type MessageStream, systemNetwork } from "./network.ts";

const NAMES: TlsNameServerOptions["names"] = [{ type: "dns", value: "dns.example.org" }];
const echo: TlsNameServerOptions["onMessage"] = ({ message, reply }) => reply(message);

async function connectTls(
  server: TlsNameServer,
  options: { serverName?: string; roots?: string[]; signal?: AbortSignal } = {},
): Promise<{ stream: MessageStream; received: Promise<Uint8Array>; closed: Promise<void> }> {
  const message = Promise.withResolvers<Uint8Array>();
  const closed = Promise.withResolvers<void>();
  const handlers = { onMessage: message.resolve, onClose: () => closed.resolve() };
  const signal = new AbortController().signal;
  const stream = await systemNetwork.connectTls(server.address, handlers, {
    signal,
    roots: [server.root],
    ...options,
  });
  return { stream, received: message.promise, closed: closed.promise };
}

Deno.test("systemNetwork.connectTls() carries messages", async () => {
  using server = await TlsNameServer.start({ names: NAMES, onMessage: echo });
  const { stream, received, closed } = await connectTls(server, { serverName: "dns.example.org" });
  stream.send(new Uint8Array(65_535).fill(7));
  assert.equal((await received).length, 65_535);
  stream.destroy();
  await closed;
});

Deno.test("systemNetwork.connectTls() takes the address where no name is given", async () => {
  using server = await TlsNameServer.start({
    names: [{ type: "ip", value: "127.0.0.1" }],
    onMessage: echo,
  });
  for (const options of [{}, { serverName: "127.0.0.1" }]) {
    const { stream, closed } = await connectTls(server, options);
    stream.destroy();
    await closed;
  }
});

Deno.test("systemNetwork.connectTls() refuses what does not prove who it is", async (t) => {
  const aborted = AbortSignal.abort(new Error("time is up"));
  const cases: [string, Partial<TlsNameServerOptions>, Parameters<typeof connectTls>[1], RegExp][] =
    [
      ["another name", {}, { serverName: "other.example.org" }, /other\.example\.org/],
      ["another address", {}, {}, /127\.0\.0\.1 is not in the cert/],
      ["another address as its name", {}, { serverName: "192.0.2.1" }, /IP address/],
      [
        "an unknown root",
        {},
        { serverName: "dns.example.org", roots: undefined },
        /unable to verify/,
      ],
      ["no root at all", {}, { serverName: "dns.example.org", roots: [] }, /unable to verify/],
      // The runtime's words do not say that it is the date; the first test has the same without it.
      ["expired", { validDays: -1 }, { serverName: "dns.example.org" }, /expired|unable to verify/],
      ["aborted", {}, { signal: aborted }, /time is up/],
    ];
  for (const [title, options, connect, reason] of cases) {
    await t.step(title, async () => {
      using server = await TlsNameServer.start({ names: NAMES, onMessage: echo, ...options });
      await assert.rejects(connectTls(server, connect), reason);
      assert.equal(server.connections, 0, "a handshake was finished");
    });
  }
});

Deno.test("systemNetwork.bindUdp() gives each datagram in memory of its own", async () => {
  const received: Uint8Array[] = [];
  const all = Promise.withResolvers<void>();
  const handlers = { onMessage() {}, onError() {} };
  const sender = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, handlers);
  const receiver = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
    onMessage(message) {
      received.push(message);
      if (received.length === 64) all.resolve();
      // One after the other: none is lost, and each may be given the memory of the one before.
      else sender.send(new Uint8Array(64 - received.length).fill(received.length), receiver.local);
    },
    onError: all.reject,
  });
  sender.send(new Uint8Array(64), receiver.local);
  await all.promise;
  sender.close();
  receiver.close();
  received.forEach((message, i) => {
    assert.deepEqual([...message], new Array(64 - i).fill(i));
    assert.equal(message.buffer.byteLength, message.length);
  });
});
