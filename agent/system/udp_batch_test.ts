import assert from "node:assert/strict";
import type { EchoWorkerOptions, EchoWorkerReport } from "../../test/support/echo_worker.ts";
import { type Libc, libc } from "./libc.ts";
import { systemNetwork, type UdpSocket } from "./network.ts";
import { allocatePacketRing, PacketRingReader } from "./packet_ring.ts";
import { decodeSockaddr, encodeSockaddr } from "./sockaddr.ts";
import type { SocketAddress } from "./socket_address.ts";
import { BATCH, SLOT_OCTETS, UdpBatch } from "./udp_batch.ts";
import { closeDescriptor, openUdpSocket, sendDatagram } from "./udp_listener.ts";
import { WakeEvent } from "./wake_event.ts";

/** A batch on a socket of its own in this thread, and a socket that talks to it. */
class Fixture implements Disposable {
  readonly server;
  readonly client;
  readonly batch: UdpBatch;
  readonly answers: UdpBatch;

  constructor(address = "127.0.0.1", library?: Libc) {
    const open = () => openUdpSocket({ address, port: 0 }, { receiveBufferBytes: 1 << 20 });
    this.server = open();
    this.client = open();
    this.batch = new UdpBatch(this.server.fd, library);
    this.answers = new UdpBatch(this.client.fd);
  }

  /** Sends messages to the batch: of `octets`, all `n`. */
  send(...messages: { n: number; octets: number }[]): void {
    const to = encodeSockaddr(this.server.local)!;
    for (const { n, octets } of messages) {
      assert.equal(sendDatagram(this.client.fd, new Uint8Array(octets).fill(n), to), undefined);
    }
  }

  /** Messages that came back: their first octets with their lengths. */
  came(): { n: number; octets: number }[] {
    const count = this.answers.receive();
    return Array.from({ length: count }, (_, i) => {
      const octets = this.answers.octets(i);
      const message = this.answers.packets.slice(i * SLOT_OCTETS, i * SLOT_OCTETS + octets);
      assert.deepEqual(message, new Uint8Array(octets).fill(message[0]));
      return { n: message[0], octets };
    });
  }

  [Symbol.dispose](): void {
    for (const { fd } of [this.server, this.client]) closeDescriptor(fd);
  }
}

const range = (length: number) => Array.from({ length }, (_, n) => ({ n, octets: 20 + n }));

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`UdpBatch answers by the batch on ${address}`, () => {
    using fixture = new Fixture(address);
    const { batch, client } = fixture;
    assert.equal(batch.receive(), 0, "nothing came yet");
    fixture.send(...range(100));
    for (const expected of [range(100).slice(0, BATCH), range(100).slice(BATCH)]) {
      assert.equal(batch.receive(), expected.length);
      for (const [i, { octets }] of expected.entries()) {
        assert.equal(batch.octets(i), octets);
        assert.equal(batch.sourcePort(i), client.local.port);
        const source = new Uint8Array(40);
        const sourceOctets = batch.copySource(i, source, 3);
        assert.deepEqual(decodeSockaddr(source.subarray(3, 3 + sourceOctets)), client.local);
        batch.queueAnswer(i, octets);
      }
      assert.equal(batch.flush(), 0);
      assert.deepEqual(fixture.came(), expected);
    }
    assert.equal(batch.receive(), 0);
    assert.equal(batch.flush(), 0, "nothing is queued");
    assert.deepEqual(fixture.came(), []);
  });
}

Deno.test("UdpBatch answers each message at its place where others are left out, longer or shorter", () => {
  using fixture = new Fixture();
  const { batch } = fixture;
  // Twice, since the second round finds the queue as the first one left it.
  for (const answered of [[1, 2, 5, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], [9, 0, 4]]) {
    fixture.send(...range(10));
    assert.equal(batch.receive(), 10);
    for (const i of answered) {
      batch.packets.fill(100 + i, i * SLOT_OCTETS, (i + 1) * SLOT_OCTETS);
      batch.queueAnswer(i, i === 2 ? 3 : 400 * (i + 1));
    }
    assert.equal(batch.flush(), 0);
    const expected = answered.map((i) => ({ n: 100 + i, octets: i === 2 ? 3 : 400 * (i + 1) }));
    assert.deepEqual(fixture.came(), expected);
  }
});

Deno.test("UdpBatch.octets() of a message that is cut, or empty", () => {
  using fixture = new Fixture();
  const { batch } = fixture;
  fixture.send({ n: 1, octets: 65_507 }, { n: 2, octets: 0 }, { n: 3, octets: 12 });
  assert.equal(batch.receive(), 3);
  assert.deepEqual([0, 1, 2].map((i) => batch.octets(i)), [SLOT_OCTETS, 0, 12]);
  // The next one stands behind the room of the first one.
  assert.equal(batch.packets[SLOT_OCTETS - 1], 1);
  assert.equal(batch.packets[SLOT_OCTETS], 0);
  assert.equal(batch.packets[2 * SLOT_OCTETS], 3);
});

/** The C library with a `recvmmsg` that says of messages that they came from elsewhere. */
function withSources(sources: Record<number, SocketAddress>): Libc {
  const library = libc();
  return {
    ...library,
    call: {
      ...library.call,
      recvmmsg(...args: Parameters<Libc["call"]["recvmmsg"]>) {
        const came = library.call.recvmmsg(...args);
        const headers = new BigUint64Array(
          Deno.UnsafePointerView.getArrayBuffer(args[1]!, 64 * BATCH),
        );
        for (const [i, source] of Object.entries(sources)) {
          const name = Deno.UnsafePointer.create(headers[Number(i) * 8])!;
          new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(name, 16))
            .set(encodeSockaddr(source)!);
        }
        return came;
      },
    },
  };
}

Deno.test("UdpBatch.flush() goes on behind messages that the kernel refuses, and counts them", () => {
  // Broadcasts need an option that the socket does not have: EACCES.
  const broadcast = { address: "255.255.255.255", port: 53 };
  for (const refused of [[0], [2], [9], [0, 1, 5], [3, 4, 9], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]) {
    const sources = Object.fromEntries(refused.map((i) => [i, broadcast]));
    using fixture = new Fixture("127.0.0.1", withSources(sources));
    fixture.send(...range(10));
    assert.equal(fixture.batch.receive(), 10);
    for (let i = 0; i < 10; i++) fixture.batch.queueAnswer(i, 20 + i);
    assert.equal(fixture.batch.flush(), refused.length);
    assert.deepEqual(fixture.came(), range(10).filter(({ n }) => !refused.includes(n)));
  }
});

Deno.test("UdpBatch.queueAnswer() never answers port 0", () => {
  using fixture = new Fixture(
    "127.0.0.1",
    withSources({ 0: { address: "127.0.0.1", port: 0 }, 3: { address: "127.0.0.1", port: 0 } }),
  );
  fixture.send(...range(5));
  assert.equal(fixture.batch.receive(), 5);
  for (let i = 0; i < 5; i++) fixture.batch.queueAnswer(i, 20 + i);
  assert.equal(fixture.batch.flush(), 0);
  assert.deepEqual(fixture.came().map(({ n }) => n), [1, 2, 4]);
});

/** The C library with calls that fail with the given errors first. */
function withErrors(name: "recvmmsg" | "sendmmsg" | "poll", errors: number[]) {
  const library = libc();
  const calls: string[] = [];
  let failedWith: number | undefined;
  const failing: Libc = {
    errno: () => failedWith ?? library.errno(),
    call: {
      ...library.call,
      [name](...args: unknown[]) {
        failedWith = errors.shift();
        calls.push(name);
        // deno-lint-ignore no-explicit-any
        return failedWith === undefined ? (library.call[name] as any)(...args) : -1;
      },
    },
  };
  return { failing, calls };
}

Deno.test("UdpBatch survives errors that pass, and throws those that do not", () => {
  const [EINTR, EBADF, EAGAIN, ENOMEM, EFAULT, EPERM, ENOBUFS, ECONNREFUSED] = [
    4,
    9,
    11,
    12,
    14,
    1,
    105,
    111,
  ];
  for (const errno of [EINTR, EAGAIN, ENOMEM, ENOBUFS, ECONNREFUSED]) {
    const { failing } = withErrors("recvmmsg", [errno]);
    using fixture = new Fixture("127.0.0.1", failing);
    fixture.send(...range(2));
    assert.equal(fixture.batch.receive(), 0);
    assert.equal(fixture.batch.receive(), 2);
  }
  const sending = [
    { errors: [EINTR], notSent: 0 },
    { errors: [EAGAIN], notSent: 0 },
    { errors: [EAGAIN, EAGAIN], notSent: 3 },
    { errors: [EPERM], notSent: 1 },
    { errors: [ENOBUFS, EINTR, ENOMEM, EAGAIN], notSent: 2 },
  ];
  for (const { errors, notSent } of sending) {
    const { failing } = withErrors("sendmmsg", [...errors]);
    using fixture = new Fixture("127.0.0.1", failing);
    fixture.send(...range(3));
    assert.equal(fixture.batch.receive(), 3);
    for (let i = 0; i < 3; i++) fixture.batch.queueAnswer(i, 20);
    assert.equal(fixture.batch.flush(), notSent, String(errors));
    assert.equal(fixture.came().length, 3 - notSent);
  }
  for (const errno of [EBADF, EFAULT]) {
    using receiving = new Fixture("127.0.0.1", withErrors("recvmmsg", [errno]).failing);
    assert.throws(() => receiving.batch.receive(), { errno });
    using sending = new Fixture("127.0.0.1", withErrors("sendmmsg", [errno]).failing);
    sending.send({ n: 1, octets: 1 });
    assert.equal(sending.batch.receive(), 1);
    sending.batch.queueAnswer(0, 1);
    assert.throws(() => sending.batch.flush(), { errno });
  }
});

Deno.test("UdpBatch on a socket that is closed throws instead of spinning", () => {
  const fixture = new Fixture();
  fixture[Symbol.dispose]();
  assert.throws(() => fixture.batch.receive(), { code: "EBADF" });
  assert.throws(() => new UdpBatch(fixture.server.fd), { code: "EBADF" });
});

/** An echo worker on a socket, and clients of it. */
class WorkerFixture {
  readonly wake = new WakeEvent();
  readonly #stop = new SharedArrayBuffer(4);
  readonly #ring = allocatePacketRing({ octets: 65_536, records: 1000 });
  readonly #worker = new Worker(new URL("../../test/support/echo_worker.ts", import.meta.url), {
    type: "module",
  });
  readonly #report = Promise.withResolvers<EchoWorkerReport>();
  readonly #clients: UdpSocket[] = [];
  /** What was handed over: how it is answered is up to the test. */
  onHandOver: (message: Uint8Array<ArrayBuffer>, source: Uint8Array<ArrayBuffer>) => void =
    () => {};

  constructor(readonly fd: number, readonly local: SocketAddress, garbageOctets = 0) {
    const reader = new PacketRingReader(this.#ring);
    this.#worker.onmessage = ({ data }) => {
      reader.drain((message, source) => this.onHandOver(message, source));
      if (data !== null) this.#report.resolve(data);
    };
    const options: EchoWorkerOptions = {
      fd,
      wakeFd: this.wake.fd,
      stop: this.#stop,
      ring: this.#ring,
      garbageOctets,
    };
    this.#worker.postMessage(options);
  }

  /** A client that asks one message after the other and tells when each was answered. */
  async client(): Promise<(message: Uint8Array) => Promise<Uint8Array>> {
    let answered: (message: Uint8Array) => void = () => {};
    const address = this.local.address;
    const socket = await systemNetwork.bindUdp({ address, port: 0 }, {
      onMessage: (message) => answered(message),
      onError: () => {},
    });
    this.#clients.push(socket);
    return (message) =>
      new Promise((resolve) => {
        answered = resolve;
        socket.send(message, this.local);
      });
  }

  /** Stops the worker as a server would; returns what it says, and how long that took. */
  async stop(): Promise<EchoWorkerReport & { tookMs: number }> {
    const startedMs = performance.now();
    Atomics.store(new Int32Array(this.#stop), 0, 1);
    this.wake.signal();
    const report = await this.#report.promise;
    const tookMs = performance.now() - startedMs;
    this.#worker.terminate();
    for (const client of this.#clients) client.close();
    closeDescriptor(this.fd);
    this.wake.close();
    return { ...report, tookMs };
  }

  static make(address = "127.0.0.1", garbageOctets = 0): WorkerFixture {
    const { fd, local } = openUdpSocket({ address, port: 0 }, { receiveBufferBytes: 1 << 20 });
    return new WorkerFixture(fd, local, garbageOctets);
  }
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`UdpBatch in a worker on ${address}: answers, what is handed over, and the end`, async () => {
    const fixture = WorkerFixture.make(address);
    fixture.onHandOver = (message, source) => {
      assert.equal(sendDatagram(fixture.fd, message.reverse(), source), undefined);
    };
    const clients = await Promise.all(Array.from({ length: 20 }, () => fixture.client()));
    await Promise.all(clients.map(async (ask, c) => {
      for (let n = 0; n < 100; n++) {
        const message = Uint8Array.of(n % 4 === 0 ? 0xff : 1, c, n);
        const expected = n % 4 === 0 ? message.toReversed() : message;
        assert.deepEqual([...await ask(message)], [...expected]);
      }
    }));
    const report = await fixture.stop();
    assert.equal(report.received, 2000);
    assert.equal(report.notSent, 0);
    assert.equal(report.error, undefined);
  });
}

Deno.test("UdpBatch in a worker that waits is stopped by its eventfd within 50 ms", async () => {
  const fixture = WorkerFixture.make();
  const ask = await fixture.client();
  await ask(Uint8Array.of(1));
  const { tookMs, error } = await fixture.stop();
  assert.equal(error, undefined);
  assert.ok(tookMs < 50, `${tookMs} ms`);
});

Deno.test("UdpBatch in a worker lives through garbage collection under load, and is stopped under load", async () => {
  const fixture = WorkerFixture.make("127.0.0.1", 100_000);
  const clients = await Promise.all(Array.from({ length: 30 }, () => fixture.client()));
  let answered = 0;
  let stopped = false;
  const enough = Promise.withResolvers<void>();
  const ending = Promise.withResolvers<undefined>();
  const asking = clients.map(async (ask, c) => {
    for (let n = 0; !stopped; n++) {
      const message = new Uint8Array(40 + n % 400).fill(c);
      const answer = await Promise.race([ask(message), ending.promise]);
      if (answer === undefined) return;
      assert.deepEqual([...answer], [...message]);
      if (++answered === 20_000) enough.resolve();
    }
  });
  await enough.promise;
  const report = await fixture.stop();
  stopped = true;
  ending.resolve(undefined);
  await Promise.all(asking);
  assert.equal(report.error, undefined);
  assert.equal(report.notSent, 0);
  assert.ok(report.received >= 20_000);
  assert.ok(report.tookMs < 500, `${report.tookMs} ms`);
});

Deno.test("UdpBatch in a worker on sockets that another process opened, blocking and not", async () => {
  const { call } = libc();
  const SOCK_NONBLOCK = 0o4000;
  for (const flags of [0, SOCK_NONBLOCK]) {
    const fd = call.socket(2, 2 | flags, 0);
    const name = encodeSockaddr({ address: "127.0.0.1", port: 0 })!;
    call.bind(fd, name, name.length);
    call.getsockname(fd, name, Uint32Array.of(name.length));
    const fixture = new WorkerFixture(fd, decodeSockaddr(name)!);
    const ask = await fixture.client();
    for (let n = 0; n < 50; n++) assert.deepEqual([...await ask(Uint8Array.of(n))], [n]);
    const { error, received } = await fixture.stop();
    assert.equal(error, undefined);
    assert.equal(received, 50);
  }
});
