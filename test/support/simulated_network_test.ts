import assert from "node:assert/strict";
import type { MessageStream } from "../../agent/system/network.ts";
import { SimulatedClock } from "./simulated_clock.ts";
import { SimulatedNetwork } from "./simulated_network.ts";

const SERVER = { address: "192.0.2.53", port: 53 };
const ANY = { address: "0.0.0.0", port: 0 };
const text = (message: Uint8Array) => new TextDecoder().decode(message);
const octets = (message: string) => new TextEncoder().encode(message);

function make() {
  const clock = new SimulatedClock();
  const network = new SimulatedNetwork(clock);
  return {
    clock,
    network,
    vm: network.host(["192.0.2.10", "::1"]),
    server: network.host([SERVER.address]),
  };
}

Deno.test("SimulatedNetwork carries datagrams both ways, with the sender's address", async () => {
  const { clock, vm, server } = make();
  const got: string[] = [];
  const bound = await server.bindUdp(SERVER, {
    onMessage: (message, from) => {
      got.push(`${text(message)} from ${from.address}`);
      bound.send(octets("pong"), from);
    },
    onError() {},
  });
  const socket = await vm.bindUdp(ANY, {
    onMessage: (message, from) => got.push(`${text(message)} from ${from.address}:${from.port}`),
    onError: (error) => got.push(error.message),
  });
  socket.send(octets("ping"), SERVER);
  socket.send(octets("lost"), { address: "192.0.2.99", port: 53 });
  await clock.advance(0);
  assert.deepEqual(got, ["ping from 192.0.2.10", "pong from 192.0.2.53:53"]);
  socket.close();
  socket.send(octets("closed"), SERVER);
  assert.equal(vm.openSockets, 0);
  await assert.rejects(server.bindUdp(SERVER, { onMessage() {}, onError() {} }), /EADDRINUSE/);
});

Deno.test("SimulatedNetwork loses, delays, repeats and reorders as it is told", async () => {
  const { clock, network, vm, server } = make();
  const got: string[] = [];
  await server.bindUdp(SERVER, {
    onMessage: (message) => got.push(`${clock.monotonicMs()} ${text(message)}`),
    onError() {},
  });
  const socket = await vm.bindUdp(ANY, { onMessage() {}, onError() {} });
  const ways: Record<string, number[]> = { lost: [], late: [30], twice: [10, 20] };
  network.way = ({ message }) => ways[text(message)];
  for (const message of ["lost", "late", "twice"]) socket.send(octets(message), SERVER);
  await clock.advance(100);
  assert.deepEqual(got, ["10 twice", "20 twice", "30 late"]);
});

Deno.test("SimulatedNetwork connects by TCP, or refuses, or leaves it unanswered", async () => {
  const { clock, network, vm } = make();
  const connect = (signal = new AbortController().signal) => {
    const outcome = { text: "waits" };
    vm.connectTcp(SERVER, { onMessage() {}, onClose() {} }, signal).then(
      () => outcome.text = "open",
      (error) => outcome.text = error.message,
    );
    return outcome;
  };
  const refused = connect();
  await clock.advance(1);
  assert.match(refused.text, /ECONNREFUSED/);
  network.tcpFate = () => "no answer";
  const stop = new AbortController();
  const silent = connect(stop.signal);
  await clock.advance(60_000);
  assert.equal(silent.text, "waits");
  stop.abort(new Error("enough"));
  await clock.advance(0);
  assert.equal(silent.text, "enough");
});

Deno.test("StreamPair keeps the order, tells what waits, and ends as TCP does", async () => {
  const { clock, network, vm, server } = make();
  network.tcpDelayMs = () => 5;
  const events: string[] = [];
  let far!: MessageStream;
  await server.listenTcp(SERVER, (stream) => {
    far = stream;
    return {
      onMessage: (message) => events.push(`${clock.monotonicMs()} far got ${text(message)}`),
      onClose: (error) => events.push(`far closed ${error?.message ?? ""}`),
    };
  });
  const connect = () =>
    vm.connectTcp(SERVER, {
      onMessage() {},
      onClose: (error) => events.push(`near closed ${error?.message ?? ""}`),
    }, new AbortController().signal);
  const opening = connect();
  await clock.advance(10);
  const near = await opening;
  near.send(octets("one"));
  near.send(octets("two"));
  await clock.advance(5);
  assert.deepEqual(events.splice(0), ["15 far got one", "15 far got two"]);
  assert.equal(near.queuedOctets, 0);
  far.pause();
  near.send(octets("three"));
  near.close();
  await clock.advance(100);
  assert.deepEqual([events.length, near.queuedOctets], [0, 7]);
  far.resume();
  await clock.advance(100);
  assert.deepEqual(events.splice(0), ["115 far got three", "far closed ", "near closed "]);
  assert.deepEqual([vm.openStreams, server.openStreams], [0, 0]);

  const again = connect();
  await clock.advance(10);
  (await again).destroy();
  await clock.advance(100);
  assert.deepEqual(events, ["near closed ", "far closed read ECONNRESET"]);
  assert.deepEqual([vm.openStreams, server.openStreams], [0, 0]);
});
