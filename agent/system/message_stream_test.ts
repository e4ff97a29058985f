import assert from "node:assert/strict";
import { poisonBuffers } from "../../test/support/poisoned_buffers.ts";
import { type MessageStream, systemNetwork } from "./network.ts";

/** A peer whose octets on the connection are seen one by one. */
interface Peer extends AsyncDisposable {
  /** The agent's end. */
  stream: MessageStream;
  /** The other end. */
  raw: Deno.TcpConn;
  /** What the agent's end got. */
  messages: Uint8Array[];
  /** Resolves with the agent's end closed. */
  closed: Promise<void>;
}

async function connect(): Promise<Peer> {
  const messages: Uint8Array[] = [];
  const accepted = Promise.withResolvers<MessageStream>();
  const closed = Promise.withResolvers<void>();
  const listener = await systemNetwork.listenTcp({ address: "127.0.0.1", port: 0 }, (stream) => {
    accepted.resolve(stream);
    return { onMessage: (message) => messages.push(message), onClose: () => closed.resolve() };
  });
  const raw = await Deno.connect({ hostname: "127.0.0.1", port: listener.local.port });
  const stream = await accepted.promise;
  listener.close();
  const end = async () => {
    stream.destroy();
    await closed.promise;
    try {
      raw.close();
    } catch { /* read to its end, which closed it */ }
  };
  return { stream, raw, messages, closed: closed.promise, [Symbol.asyncDispose]: end };
}

function concatenate(parts: Uint8Array[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

const message = (octets: number, fill = 1) => new Uint8Array(octets).fill(fill);
const framed = (message: Uint8Array) =>
  Uint8Array.of(message.length >> 8, message.length & 0xff, ...message);

Deno.test("acceptedStream() sends the length and the message, and no octet of another", async () => {
  using _ = poisonBuffers();
  await using peer = await connect();
  const messages = [0, 1, 511, 65_535, 2, 8_191].map((octets, i) => message(octets, i + 1));
  for (const message of messages) peer.stream.send(message);
  // A view in the middle of other octets is sent as what it shows.
  peer.stream.send(message(300, 0xee).subarray(100, 200));
  peer.stream.close();
  const received = new Uint8Array(await new Response(peer.raw.readable).arrayBuffer());
  const expected = concatenate([...messages, message(100, 0xee)].map(framed));
  assert.equal(received.length, expected.length);
  assert.ok(received.every((octet, i) => octet === expected[i]));
});

Deno.test("acceptedStream() gives each message in a buffer of its own", async (t) => {
  const messages = [message(20, 1), message(0), message(700, 2), message(33, 3)];
  const octets = concatenate(messages.map(framed));
  for (const chunk of [octets.length, 40, 3]) {
    await t.step(`in chunks of ${chunk} octets`, async () => {
      using _ = poisonBuffers();
      await using peer = await connect();
      peer.raw.setNoDelay(true);
      for (let at = 0; at < octets.length; at += chunk) {
        await peer.raw.write(octets.slice(at, at + chunk));
      }
      await peer.raw.closeWrite();
      await peer.closed;
      assert.deepEqual(peer.messages.map((message) => [...message]), messages.map((m) => [...m]));
      // Whoever reads past its end finds nothing, and what is kept of one keeps no other alive.
      for (const { buffer, length } of peer.messages) assert.equal(buffer.byteLength, length);
    });
  }
});
