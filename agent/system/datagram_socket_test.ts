import assert from "node:assert/strict";
import { openDatagramSocket } from "./datagram_socket.ts";
import { systemNetwork, type UdpSocket } from "./network.ts";
import type { SocketAddress } from "./socket_address.ts";

/** What comes and goes wrong on a socket, in order. */
function open(address: string) {
  const came: { message: Uint8Array; from: SocketAddress }[] = [];
  const errors: Error[] = [];
  let told: () => void = () => {};
  const socket = openDatagramSocket({ address, port: 0 }, {
    onMessage: (message, from) => (came.push({ message, from }), told()),
    onError: (error) => (errors.push(error), told()),
  });
  assert.ok(socket, "the tests run with what deno.json allows");
  return { socket, came, errors, next: () => new Promise<void>((resolve) => told = resolve) };
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`openDatagramSocket() on ${address} sends, receives, and tells from whom`, async () => {
    const [one, other] = [open(address), open(address)];
    assert.equal(one.socket.local.address, address);
    assert.notEqual(one.socket.local.port, other.socket.local.port);
    for (const octets of [0, 1, 4096]) {
      const next = other.next();
      one.socket.send(new Uint8Array(octets).fill(7), other.socket.local);
      await next;
      assert.deepEqual(other.came.pop(), {
        message: new Uint8Array(octets).fill(7),
        from: one.socket.local,
      });
    }
    const next = one.next();
    other.socket.send(Uint8Array.of(1), one.socket.local);
    await next;
    assert.deepEqual([...one.came[0].message], [1]);
    one.socket.close();
    other.socket.close();
    assert.deepEqual([one.errors, other.errors], [[], []]);
  });
}

Deno.test("openDatagramSocket() tells errors and goes on", async () => {
  const { socket, came, errors, next } = open("127.0.0.1");
  const failed = next();
  socket.send(new Uint8Array(70_000), socket.local);
  await failed;
  assert.equal(errors.length, 1);
  const told = next();
  socket.send(Uint8Array.of(1), socket.local);
  await told;
  assert.equal(came.length, 1);
  socket.close();
});

Deno.test("openDatagramSocket() that is closed sends what is under way, calls nobody, and frees its port", async () => {
  const receiver = open("127.0.0.1");
  const { socket, came, errors } = open("127.0.0.1");
  const next = receiver.next();
  socket.send(Uint8Array.of(1), receiver.socket.local);
  socket.send(new Uint8Array(70_000), receiver.socket.local);
  socket.close();
  socket.close();
  socket.send(Uint8Array.of(2), receiver.socket.local);
  await next;
  assert.deepEqual(receiver.came.map(({ message }) => message[0]), [1]);
  const again: UdpSocket = await systemNetwork.bindUdp(socket.local, {
    onMessage() {},
    onError() {},
  });
  again.send(Uint8Array.of(3), receiver.socket.local);
  await receiver.next();
  assert.deepEqual(receiver.came.map(({ message }) => message[0]), [1, 3]);
  again.close();
  receiver.socket.close();
  assert.deepEqual([came, errors], [[], []]);
});

Deno.test("openDatagramSocket() refuses what cannot be bound", () => {
  const handlers = { onMessage() {}, onError() {} };
  assert.throws(() => openDatagramSocket({ address: "192.0.2.1", port: 0 }, handlers), {
    code: "EADDRNOTAVAIL",
  });
});
