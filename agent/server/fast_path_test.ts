import assert from "node:assert/strict";
import { queryMessage, readMessage } from "../../test/support/dns_messages.ts";
import { serviceEntry } from "../../test/support/host_entries.ts";
import { buildTable } from "../../test/support/name_tables.ts";
import { until } from "../../test/support/until.ts";
import { AnswerCache } from "../cache/answer_cache.ts";
import { HotCache } from "../cache/hot_cache.ts";
import { HandedOver } from "../../test/support/handed_over.ts";
import type { HostEntry } from "../names/host_entry.ts";
import type { MeshView } from "../names/mesh_lookup.ts";
import { systemClock } from "../system/clock.ts";
import { encodeSockaddr } from "../system/sockaddr.ts";
import {
  adoptUdpSocket,
  closeDescriptor,
  openUdpSocket,
  sendDatagram,
} from "../system/udp_listener.ts";
import { systemNetwork, type UdpSocket } from "../system/network.ts";
import { SystemRandom } from "../system/random.ts";
import { FastPath } from "./fast_path.ts";

const VIEW: MeshView = {
  clusterDomain: "cluster.local",
  namespace: "vm",
  searchDomains: ["vm.svc.cluster.local"],
  serveAutoAllocated: false,
};
const OPTIONS = { receiveBufferBytes: 65_536 };
const log = { debug() {}, info() {}, warn() {}, error: (text: string) => assert.fail(text) };

function mesh(entries: HostEntry[]) {
  return { buffer: buildTable(entries).buffer, view: VIEW };
}

/** A fast path with one socket, whose slow path answers with the message itself, and a client. */
class Fixture {
  readonly slow: string[] = [];
  readonly #answers = new Map<number, Uint8Array>();
  #client!: UdpSocket;
  #nextId = 1;
  socket!: UdpSocket;

  private constructor(readonly fastPath: FastPath) {}

  static async start(
    entries: HostEntry[],
    { address = "127.0.0.1", workers = 1, clock = systemClock } = {},
  ) {
    const random = new SystemRandom();
    const cache = new HotCache({
      cache: new AnswerCache(),
      hashOf: () => 0,
      bootOffsetMs: () => 0,
    }).memory;
    const options = { workers, cache, clock, random };
    const fastPath = await FastPath.start(
      { ...options, log: { child: () => assert.fail(), ...log } },
      mesh(entries),
    );
    const fixture = new Fixture(fastPath);
    fixture.socket = fastPath.bindUdp({ address, port: 0 }, {
      onMessage: (message, from) => {
        fixture.slow.push(readMessage(message).questions![0].name);
        fixture.socket.send(message, from);
      },
      onError: (error) => assert.fail(error.message),
    }, OPTIONS);
    fixture.#client = await systemNetwork.bindUdp({ address, port: 0 }, {
      onMessage: (message) => fixture.#answers.set(message[0] << 8 | message[1], message),
      onError: (error) => assert.fail(error.message),
    });
    return fixture;
  }

  /** The addresses of an answer; what the slow path gives has none. */
  async ask(name: string): Promise<string[]> {
    const id = this.#nextId++;
    this.#client.send(queryMessage(name, "A", { id }), this.socket.local);
    await until(() => this.#answers.has(id), `the answer for ${name}`);
    return readMessage(this.#answers.get(id)!).answers!.map((record) =>
      "data" in record ? String(record.data) : ""
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.close();
    this.#client.close();
    await this.fastPath.close();
  }
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`FastPath answers on ${address} and hands the rest over`, async () => {
    await using fixture = await Fixture.start([serviceEntry("a.vm", ["10.0.0.1"])], { address });
    assert.deepEqual(await fixture.ask("a.vm.svc.cluster.local"), ["10.0.0.1"]);
    assert.deepEqual(await fixture.ask("www.example.org"), []);
    assert.deepEqual(fixture.slow, ["www.example.org"]);
    assert.equal(fixture.socket.local.address, address);
    const [{ queries, answers }] = fixture.fastPath.takeCounts();
    assert.deepEqual(queries, [[1, 1]]);
    assert.deepEqual(answers[0].rcodes, [[0, 1]]);
    assert.equal(answers[0].buckets.length, 1);
  });
}

Deno.test("FastPath.publish() puts a table in force at once, and lets go of the one before", async () => {
  await using fixture = await Fixture.start([serviceEntry("a.vm", ["10.0.0.1"])], { workers: 2 });
  const { fastPath } = fixture;
  const first = mesh([serviceEntry("a.vm", ["10.0.0.2"])]);
  const second = mesh([serviceEntry("a.vm", ["10.0.0.3"])]);
  for (let turn = 0; turn < 5; turn++) {
    for (const [published, address] of [[first, "10.0.0.2"], [second, "10.0.0.3"]] as const) {
      fastPath.publish(published);
      assert.ok(fastPath.uses(published.buffer));
      assert.deepEqual(await fixture.ask("a.vm.svc.cluster.local"), [address]);
    }
    await until(() => !fastPath.uses(first.buffer), "the workers to let go");
    assert.ok(fastPath.uses(second.buffer));
  }
});

Deno.test("FastPath.publish() takes tables that grow, and forgets memory that became too small", async () => {
  await using fixture = await Fixture.start([serviceEntry("a.vm", ["10.0.0.1"])]);
  for (const hosts of [10, 1_000, 20_000, 1_000]) {
    const entries = Array.from(
      { length: hosts },
      (_, i) => serviceEntry(`s-${i}.vm`, ["10.1.0.1"]),
    );
    fixture.fastPath.publish(mesh([...entries, serviceEntry("a.vm", [`10.0.0.${hosts % 97}`])]));
    assert.deepEqual(await fixture.ask("a.vm.svc.cluster.local"), [`10.0.0.${hosts % 97}`]);
    assert.deepEqual(await fixture.ask(`s-${hosts - 1}.vm.svc.cluster.local`), ["10.1.0.1"]);
  }
});

Deno.test("FastPath serves sockets that come and go", async () => {
  await using fixture = await Fixture.start([serviceEntry("a.vm", ["10.0.0.1"])]);
  const before = fixture.socket;
  const handlers = { onMessage: () => assert.fail(), onError: () => assert.fail() };
  fixture.socket = fixture.fastPath.bindUdp({ address: "127.0.0.1", port: 0 }, handlers, OPTIONS);
  assert.deepEqual(await fixture.ask("a.vm.svc.cluster.local"), ["10.0.0.1"]);
  before.close();
  assert.deepEqual(await fixture.ask("a.vm.svc.cluster.local"), ["10.0.0.1"]);
  // The port is free as soon as the workers have let go of the socket.
  let again: UdpSocket | undefined;
  await until(() => {
    try {
      again = fixture.fastPath.bindUdp(before.local, handlers, OPTIONS);
      return true;
    } catch {
      return false;
    }
  }, "the port to be free");
  again!.close();
});

/** Serves the first 127.0.0.1 of the fixture on a socket that was handed over. */
function serveInherited(fixture: Fixture, handed: HandedOver): UdpSocket {
  fixture.socket.close();
  const local = { address: "127.0.0.1", port: handed.port };
  fixture.socket = fixture.fastPath.bindUdp({ ...local, fd: handed.fd }, {
    onMessage: (message, from) => {
      fixture.slow.push(readMessage(message).questions![0].name);
      fixture.socket.send(message, from);
    },
    onError: (error) => assert.fail(error.message),
  }, OPTIONS);
  assert.deepEqual(fixture.socket.local, local);
  return fixture.socket;
}

Deno.test("FastPath serves an inherited socket, and leaves to others what comes after stopReading()", async () => {
  await using fixture = await Fixture.start([serviceEntry("a.vm", ["10.0.0.1"])], { workers: 2 });
  using handed = new HandedOver("udp");
  const socket = serveInherited(fixture, handed);
  assert.deepEqual(await fixture.ask("a.vm.svc.cluster.local"), ["10.0.0.1"]);
  assert.deepEqual(await fixture.ask("www.example.org"), []);
  assert.deepEqual(fixture.slow, ["www.example.org"]);

  await socket.stopReading!();
  // Another socket makes no worker read it again.
  const handlers = { onMessage: () => assert.fail(), onError: () => assert.fail() };
  const other = fixture.fastPath.bindUdp({ address: "127.0.0.1", port: 0 }, handlers, OPTIONS);
  const client = openUdpSocket({ address: "127.0.0.1", port: 0 }, OPTIONS);
  const to = encodeSockaddr(socket.local)!;
  let left: string | undefined;
  const untilLeft = async (name: string) => {
    assert.equal(sendDatagram(client.fd, queryMessage(`${name}.example.org`, "A"), to), undefined);
    await until(() => (left = handed.read()) !== undefined, `the question ${name}`);
    assert.ok(left!.includes(name));
  };
  for (let i = 0; i < 20; i++) await untilLeft(`stopped${i}`);
  // What is under way is answered on it still.
  socket.send(new Uint8Array([1]), client.local);
  socket.close();
  other.close();
  await fixture.fastPath.close();
  await untilLeft("closed");
  assert.deepEqual(adoptUdpSocket(handed.fd).local, socket.local);
  for (const fd of [handed.fd, client.fd]) closeDescriptor(fd);
});

Deno.test("FastPath has handed over all that it took when stopReading() resolves", async () => {
  // Waits without the event loop, so that no message of the worker makes anybody look.
  const word = new Int32Array(new SharedArrayBuffer(4));
  const schedule = (delayMs: number, callback: () => void) => {
    Atomics.wait(word, 0, 0, delayMs);
    queueMicrotask(callback);
    return () => {};
  };
  await using fixture = await Fixture.start([], { clock: { ...systemClock, schedule } });
  using handed = new HandedOver("udp");
  const socket = serveInherited(fixture, handed);
  const client = openUdpSocket({ address: "127.0.0.1", port: 0 }, OPTIONS);
  const to = encodeSockaddr(socket.local)!;
  const query = queryMessage("www.example.org", "A");
  const count = 150;
  for (let i = 0; i < count; i++) assert.equal(sendDatagram(client.fd, query, to), undefined);
  // Time for the worker to take them.
  Atomics.wait(word, 0, 0, 50);
  await socket.stopReading!();
  let leftOver = 0;
  while (handed.read() !== undefined) leftOver++;
  assert.equal(fixture.slow.length + leftOver, count);
  for (const fd of [handed.fd, client.fd]) closeDescriptor(fd);
});

Deno.test("FastPath loses nothing where a busy machine holds a worker up for two seconds", async () => {
  let nowMs = 0;
  let jumpsMs = 0;
  // From the first look to the second, two seconds pass in which the worker does nothing.
  const monotonicMs = () => {
    const before = nowMs;
    nowMs += jumpsMs;
    jumpsMs = 0;
    return before;
  };
  const clock = { ...systemClock, monotonicMs };
  const query = queryMessage("www.example.org", "A");
  const count = 150;
  await using fixture = await Fixture.start([], { clock });
  // The worker may be between two batches just then, and such a turn shows nothing.
  for (let turn = 0; turn < 40; turn++) {
    fixture.slow.length = 0;
    using handed = new HandedOver("udp");
    const socket = serveInherited(fixture, handed);
    const client = openUdpSocket({ address: "127.0.0.1", port: 0 }, OPTIONS);
    const to = encodeSockaddr(socket.local)!;
    for (let i = 0; i < count; i++) assert.equal(sendDatagram(client.fd, query, to), undefined);
    jumpsMs = 2_000;
    await socket.stopReading!();
    socket.close();
    let leftOver = 0;
    while (handed.read() !== undefined) leftOver++;
    assert.equal(fixture.slow.length + leftOver, count);
    for (const fd of [handed.fd, client.fd]) closeDescriptor(fd);
  }
});

Deno.test("FastPath.bindUdp() says what is wrong with an address", async () => {
  await using fixture = await Fixture.start([]);
  const handlers = { onMessage: () => {}, onError: () => {} };
  assert.throws(
    () => fixture.fastPath.bindUdp(fixture.socket.local, handlers, OPTIONS),
    { code: "EADDRINUSE" },
  );
  assert.throws(
    () => fixture.fastPath.bindUdp({ address: "192.0.2.1", port: 0 }, handlers, OPTIONS),
    { code: "EADDRNOTAVAIL" },
  );
});

Deno.test("FastPath.close() ends workers that wait", async () => {
  const fixture = await Fixture.start([]);
  const startedMs = performance.now();
  await fixture[Symbol.asyncDispose]();
  assert.ok(performance.now() - startedMs < 500);
});
