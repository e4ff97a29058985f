import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { until } from "../../test/support/until.ts";
import { ExchangeReader } from "./exchange_reader.ts";
import { ExchangeSockets } from "./exchange_sockets.ts";
import { systemNetwork, type UdpSocket } from "./network.ts";
import type { SocketAddress } from "./socket_address.ts";
import { closeDescriptor } from "./udp_listener.ts";

/** Sockets that are read by this thread, when it is told to, and a server that answers when it is told to. */
class Fixture implements Disposable {
  readonly sockets = new ExchangeSockets();
  readonly errors: string[] = [];
  /** What the server was sent. */
  readonly asked: { octet: number; from: SocketAddress }[] = [];
  reports = 0;
  reader = new ExchangeReader(this.sockets.source, () => this.reports++);

  private constructor(readonly server: UdpSocket) {}

  static async start(address = "127.0.0.1"): Promise<Fixture> {
    const server = await systemNetwork.bindUdp({ address, port: 0 }, {
      onMessage: ([octet], from) => fixture.asked.push({ octet, from }),
      onError: assert.fail,
    });
    const fixture: Fixture = new Fixture(server);
    return fixture;
  }

  /** A socket, and what comes on it: first octet, length, from where. */
  open() {
    const came: { message: Uint8Array; from: SocketAddress }[] = [];
    const socket = this.sockets.open(this.server.local.address === "::1", {
      onMessage: (message, from) => came.push({ message, from }),
      onError: (error) => this.errors.push(error.message),
    });
    return { socket, came };
  }

  /** Sends an octet on a socket; tells where from, as the server sees it. */
  async ask(socket: UdpSocket, octet: number): Promise<SocketAddress> {
    socket.send(Uint8Array.of(octet), this.server.local);
    const from = () => this.asked.find((query) => query.octet === octet)?.from;
    await until(() => from() !== undefined, "the query");
    return from()!;
  }

  /** Has `octets` octets sent to `to`, and reads until they are in the ring. */
  async reply(to: SocketAddress, octets = 1): Promise<void> {
    const reportsBefore = this.reports;
    this.server.send(new Uint8Array(octets).fill(7), to);
    await until(() => (this.reader.read(), this.reports > reportsBefore), "the reply");
  }

  [Symbol.dispose](): void {
    this.sockets.close();
    this.server.close();
  }
}

/** Descriptors of this process. */
const openDescriptors = () => readdirSync("/proc/self/fd").length;
const nextTurn = () => new Promise((resolve) => setTimeout(resolve));

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`ExchangeSockets on ${address} ask from ports of their own, and hear what is replied`, async () => {
    using fixture = await Fixture.start(address);
    const { sockets, server } = fixture;
    const [one, other] = [fixture.open(), fixture.open()];
    const from = await fixture.ask(one.socket, 1);
    const otherFrom = await fixture.ask(other.socket, 2);
    assert.equal(from.address, address);
    assert.equal(one.socket.local.port, from.port);
    assert.notEqual(from.port, otherFrom.port);
    for (const octets of [0, 1, 1232, 4096]) {
      await fixture.reply(otherFrom, octets);
      assert.equal(other.came.length, 0, "nobody is told before deliver()");
      sockets.deliver();
      assert.deepEqual(other.came.pop(), {
        message: new Uint8Array(octets).fill(7),
        from: server.local,
      });
    }
    assert.equal(one.came.length, 0);
    await fixture.reply(otherFrom, 5000);
    sockets.deliver();
    assert.equal(other.came.pop()!.message.length, 4096, "what is longer is cut");
  });
}

Deno.test("ExchangeSockets ask several servers in turn", async () => {
  using fixture = await Fixture.start();
  using other = await Fixture.start();
  const { socket } = fixture.open();
  for (const [octet, { server }] of [fixture, other, fixture, other].entries()) {
    socket.send(Uint8Array.of(octet), server.local);
  }
  const octets = ({ asked }: Fixture) => asked.map(({ octet }) => octet).join(" ");
  await until(() => octets(fixture) === "0 2" && octets(other) === "1 3", "the queries");
});

Deno.test("ExchangeSockets hear others than who was asked, and tell who they are", async () => {
  using fixture = await Fixture.start();
  const { socket, came } = fixture.open();
  const from = await fixture.ask(socket, 1);
  const spoofer = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
    onMessage: () => assert.fail(),
    onError: assert.fail,
  });
  spoofer.send(Uint8Array.of(9), from);
  await until(() => (fixture.reader.read(), fixture.reports > 0), "the spoof");
  fixture.sockets.deliver();
  assert.deepEqual(came, [{ message: Uint8Array.of(9), from: spoofer.local }]);
  spoofer.close();
});

Deno.test("ExchangeSockets.open(): what comes after close() reaches nobody", async () => {
  using fixture = await Fixture.start();
  const { sockets } = fixture;
  const one = fixture.open();
  const from = await fixture.ask(one.socket, 1);
  await fixture.reply(from);
  const descriptors = openDescriptors();
  one.socket.close();
  one.socket.close();
  one.socket.send(Uint8Array.of(3), fixture.server.local);
  assert.equal(openDescriptors(), descriptors - 1);
  // The kernel gives it the descriptor of the one before.
  const other = fixture.open();
  await fixture.ask(other.socket, 2);
  sockets.deliver();
  assert.deepEqual([one.came, other.came], [[], []]);
  assert.deepEqual(fixture.asked.map(({ octet }) => octet), [1, 2]);
});

Deno.test("ExchangeSockets.open(): close() leaves a descriptor open while the reader may have it", async () => {
  using fixture = await Fixture.start();
  const { sockets } = fixture;
  const looks = new Int32Array(sockets.source.looks);
  const before = openDescriptors();
  const [a, b, c] = [fixture.open(), fixture.open(), fixture.open()];
  Atomics.add(looks, 0, 1);
  a.socket.close();
  b.socket.close();
  assert.equal(openDescriptors(), before + 3, "it looks");
  Atomics.add(looks, 0, 2);
  c.socket.close();
  assert.equal(
    openDescriptors(),
    before + 1,
    "it looks again, and that look cannot have found two",
  );
  Atomics.add(looks, 0, 1);
  fixture.open().socket.close();
  assert.equal(openDescriptors(), before);
});

Deno.test("ExchangeReader takes over from one that died while it looked", async () => {
  using fixture = await Fixture.start();
  const { sockets } = fixture;
  const { socket, came } = fixture.open();
  const from = await fixture.ask(socket, 1);
  Atomics.add(new Int32Array(sockets.source.looks), 0, 1);
  fixture.reader = new ExchangeReader(sockets.source, () => fixture.reports++);
  await fixture.reply(from);
  sockets.deliver();
  assert.equal(came.length, 1);
  const before = openDescriptors();
  socket.close();
  assert.equal(openDescriptors(), before - 1);
});

Deno.test("ExchangeSockets serve 2,000 exchanges at once, and leave no descriptor behind", async () => {
  const before = openDescriptors();
  {
    using fixture = await Fixture.start();
    const { sockets, reader } = fixture;
    const exchanges = Array.from({ length: 2_000 }, () => fixture.open());
    for (const [i, { socket }] of exchanges.entries()) {
      socket.send(Uint8Array.of(i), fixture.server.local);
      // The server's receive buffer holds some 270.
      if (i % 100 === 99) await until(() => fixture.asked.length === i + 1, "the queries");
    }
    const ports = new Set(fixture.asked.map(({ from }) => from.port));
    assert.equal(ports.size, 2_000);
    for (const { from, octet } of fixture.asked) fixture.server.send(Uint8Array.of(octet), from);
    await until(() => {
      reader.read();
      sockets.deliver();
      return exchanges.every(({ came }) => came.length === 1);
    }, "the replies");
    exchanges.forEach(({ came }, i) => assert.equal(came[0].message[0], i & 0xff));
    for (const { socket } of exchanges.slice(0, 1_000)) socket.close();
  }
  await until(() => openDescriptors() <= before, "the descriptors to be closed");
});

Deno.test("ExchangeReader loses what there is no room for, and goes on", async () => {
  using fixture = await Fixture.start();
  const { sockets, reader } = fixture;
  const { socket, came } = fixture.open();
  const from = await fixture.ask(socket, 1);
  for (let sent = 0; sent < 1_100; sent += 50) {
    for (let i = 0; i < 50; i++) fixture.server.send(Uint8Array.of(7), from);
    await nextTurn();
    for (let i = 0; i < 60; i++) reader.read();
  }
  sockets.deliver();
  await until(() => (sockets.deliver(), came.length >= 1_000), "what the ring had room for");
  assert.equal(came.length, 1_000);
  await fixture.reply(from);
  sockets.deliver();
  assert.equal(came.length, 1_001);
});

Deno.test("ExchangeSockets tell what cannot be sent", async () => {
  using fixture = await Fixture.start();
  const { socket } = fixture.open();
  socket.send(new Uint8Array(70_000), fixture.server.local);
  socket.send(Uint8Array.of(1), { address: "fe80::1%none", port: 53 });
  assert.deepEqual(fixture.errors, [
    "Could not send a datagram: EMSGSIZE",
    "Could not send to fe80::1%none: no such address",
  ]);
});

Deno.test("ExchangeSockets.open() throws where the kernel refuses, and leaves no descriptor behind", () => {
  const sockets = new ExchangeSockets();
  const handlers = { onMessage() {}, onError() {} };
  sockets.open(false, handlers).close();
  closeDescriptor(sockets.source.epollFd);
  const before = openDescriptors();
  // The socket gets the number of what it should be put into.
  assert.throws(() => sockets.open(false, handlers), { code: "EINVAL" });
  assert.equal(openDescriptors(), before);
});
