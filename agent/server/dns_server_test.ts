import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { Buffer } from "node:buffer";
import { queryMessage, readMessage } from "../../test/support/dns_messages.ts";
import { HandedOver } from "../../test/support/handed_over.ts";
import { ManualClock, settle } from "../../test/support/manual_clock.ts";
import { until } from "../../test/support/until.ts";
import { localAnswer } from "../dns/answer.ts";
import { addressRecord } from "../dns/record.ts";
import type { Resolution } from "../resolver/resolver.ts";
import { inheritedSockets } from "../system/inherited_sockets.ts";
import { silentLog } from "../system/log.ts";
import {
  type ListenAddress,
  type Network,
  systemNetwork,
  type UdpHandlers,
  type UdpSocket,
} from "../system/network.ts";
import type { SocketAddress } from "../system/socket_address.ts";
import { DnsServer, type DnsServerOptions, TCP_IDLE_MS } from "./dns_server.ts";
import { ListenError } from "./errors.ts";
import { QueryHandler } from "./query_handler.ts";

const LOCAL = { address: "127.0.0.1", port: 0 };

function make(
  options: Partial<
    Pick<DnsServerOptions, "maxTcpClients" | "network" | "isAllowed" | "inherited" | "fastPath">
  > = {},
) {
  const clock = new ManualClock();
  const pending = new Map<string, (resolution: Resolution) => void>();
  const resolution = (name: string): Resolution => ({
    answer: localAnswer({
      answers: [addressRecord(name, Uint8Array.of(192, 0, 2, 1), { ttlSeconds: 30 })],
    }),
    source: "mesh",
    why: [],
  });
  const handler = new QueryHandler({
    resolver: {
      answerHere: ({ question: { name } }) => name.endsWith("mesh") ? resolution(name) : undefined,
      forward: ({ question: { name } }) =>
        new Promise<Resolution>((resolve) => pending.set(name, () => resolve(resolution(name)))),
      answerUnderLoad: () => undefined,
    },
    clock,
    observer: { onQuery() {}, onAnswer() {}, onDropped() {} },
    log: silentLog,
  });
  const server = new DnsServer({
    network: systemNetwork,
    clock,
    handler,
    log: silentLog,
    receiveBufferBytes: () => 65_536,
    isAllowed: () => false,
    ...options,
  });
  const answer = (name: string) => pending.get(name)!(resolution(name));
  return { server, clock, answer, pending };
}

async function udp(to: SocketAddress) {
  const answers: string[] = [];
  const socket = await systemNetwork.bindUdp(LOCAL, {
    onMessage: (message) => void answers.push(readMessage(message).questions![0].name),
    onError() {},
  });
  return {
    answers,
    close: () => socket.close(),
    ask: (name: string) => socket.send(queryMessage(name, "A"), to),
  };
}

/** A TCP client that frames by hand, so that it can do it wrongly. */
async function tcp(to: SocketAddress) {
  const socket: Socket = connect(to.port, to.address);
  const state = { answers: [] as string[], closed: false };
  let bytes = Buffer.alloc(0);
  socket.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    while (bytes.length >= 2 && bytes.length >= 2 + bytes.readUInt16BE(0)) {
      const end = 2 + bytes.readUInt16BE(0);
      state.answers.push(readMessage(bytes.subarray(2, end)).questions![0].name);
      bytes = bytes.subarray(end);
    }
  });
  socket.on("error", () => {});
  socket.on("close", () => state.closed = true);
  await new Promise((resolve) => socket.once("connect", resolve));
  const frame = (message: Uint8Array) =>
    Buffer.concat([Uint8Array.of(message.length >> 8, message.length & 255), message]);
  return {
    state,
    socket,
    write: (message: Uint8Array) => socket.write(message),
    ask: (name: string) => socket.write(frame(queryMessage(name, "A"))),
    frame,
  };
}

Deno.test("DnsServer answers on UDP and TCP of the same port", async () => {
  const { server } = make();
  await server.replaceListeners([LOCAL]);
  const [address] = server.addresses;
  const [viaUdp, viaTcp] = [await udp(address), await tcp(address)];
  viaUdp.ask("a.mesh");
  viaTcp.ask("b.mesh");
  await until(() => viaUdp.answers.length + viaTcp.state.answers.length === 2, "two answers");
  assert.deepEqual([viaUdp.answers, viaTcp.state.answers], [["a.mesh"], ["b.mesh"]]);
  viaUdp.close();
  viaTcp.socket.destroy();
  await server.drain();
  await settle();
});

Deno.test("DnsServer answers pipelined questions as they are known, and octets as they come", async () => {
  const { server, answer, pending } = make();
  await server.replaceListeners([LOCAL]);
  const client = await tcp(server.addresses[0]);
  client.ask("slow.example");
  const message = client.frame(queryMessage("fast.mesh", "A"));
  for (const octet of message) client.write(Uint8Array.of(octet));
  await until(() => client.state.answers.length === 1 && pending.size === 1, "the fast answer");
  answer("slow.example");
  await until(() => client.state.answers.length === 2, "the slow answer");
  assert.deepEqual(client.state.answers, ["fast.mesh", "slow.example"]);
  client.socket.destroy();
  await server.drain();
  await settle();
});

Deno.test("DnsServer closes idle connections, and those that send what is no query", async () => {
  const { server, clock } = make();
  await server.replaceListeners([LOCAL]);
  const [idle, wrong] = [await tcp(server.addresses[0]), await tcp(server.addresses[0])];
  wrong.write(wrong.frame(new Uint8Array(5)));
  await until(() => wrong.state.closed, "the wrong one to be closed");
  assert.equal(idle.state.closed, false);
  await clock.advance(TCP_IDLE_MS * 1.5);
  await until(() => idle.state.closed, "the idle one to be closed");
  await server.drain();
  await settle();
});

Deno.test("DnsServer makes room for a new connection by closing the one idle longest", async () => {
  const { server, clock } = make({ maxTcpClients: 2 });
  await server.replaceListeners([LOCAL]);
  const first = await tcp(server.addresses[0]);
  await clock.advance(1_000);
  const second = await tcp(server.addresses[0]);
  second.ask("a.mesh");
  await until(() => second.state.answers.length === 1, "an answer");
  const third = await tcp(server.addresses[0]);
  third.ask("b.mesh");
  await until(() => third.state.answers.length === 1 && first.state.closed, "the first to go");
  assert.equal(second.state.closed, false);
  second.socket.destroy();
  third.socket.destroy();
  await server.drain();
  await settle();
});

Deno.test("DnsServer.drain() answers what is in flight, and for at most five seconds", async (t) => {
  await t.step("answered", async () => {
    const { server, answer, pending } = make();
    await server.replaceListeners([LOCAL]);
    const client = await udp(server.addresses[0]);
    client.ask("slow.example");
    await until(() => pending.size === 1, "the question");
    const drained = server.drain();
    answer("slow.example");
    await drained;
    await until(() => client.answers.length === 1, "the answer");
    client.close();
    await settle();
  });
  await t.step("given up", async () => {
    const { server, clock, pending } = make();
    await server.replaceListeners([LOCAL]);
    const client = await udp(server.addresses[0]);
    client.ask("never.example");
    await until(() => pending.size === 1, "the question");
    let ended = false;
    const drained = server.drain().then(() => ended = true);
    await clock.advance(4_900);
    assert.equal(ended, false);
    await clock.advance(200);
    await drained;
    client.close();
    await settle();
  });
});

Deno.test("DnsServer.replaceListeners() opens and closes addresses, all or none", async () => {
  const { server } = make();
  const blocker = await systemNetwork.bindUdp(LOCAL, { onMessage() {}, onError() {} });
  await server.replaceListeners([LOCAL]);
  const before = server.addresses;
  await assert.rejects(
    server.replaceListeners([{ address: "127.0.0.2", port: 0 }, blocker.local]),
    (error: unknown) =>
      error instanceof ListenError &&
      error.message.includes(`udp 127.0.0.1:${blocker.local.port}`) &&
      error.message.includes("Another program has the port"),
  );
  assert.deepEqual(server.addresses, before);
  await server.replaceListeners([{ address: "127.0.0.2", port: 0 }]);
  assert.deepEqual(server.addresses.map(({ address }) => address), ["127.0.0.2"]);
  blocker.close();
  await server.drain();
  await settle();
});

Deno.test("DnsServer lets everybody ask on loopback, and on other addresses whom it is told", async () => {
  let handlers: UdpHandlers;
  const sent: [string, string][] = [];
  const network: Network = {
    ...systemNetwork,
    bindUdp(local, given) {
      handlers = given;
      return Promise.resolve({
        local,
        send: (message, to) => void sent.push([readMessage(message).rcode, to.address]),
        close() {},
      });
    },
    listenTcp: (local) => Promise.resolve({ local, close() {} }),
  };
  const { server } = make({
    network,
    isAllowed: (client) => client === "198.51.100.1",
  });
  const ask = (client: string) =>
    handlers.onMessage(queryMessage("a.mesh", "A"), { address: client, port: 5000 });
  await server.replaceListeners([{ address: "127.0.0.1", port: 15053 }]);
  ask("192.0.2.1");
  for (const address of ["192.0.2.53", "0.0.0.0"]) {
    await server.replaceListeners([{ address, port: 53 }]);
    // A loopback source address proves nothing on a socket that others can reach.
    for (const client of ["198.51.100.1", "192.0.2.1", "127.0.0.1"]) ask(client);
  }
  await server.drain();
  assert.deepEqual(sent.map(([rcode]) => rcode), [
    "NOERROR",
    ...["NOERROR", "REFUSED", "REFUSED"],
    ...["NOERROR", "REFUSED", "REFUSED"],
  ]);
});

Deno.test("DnsServer serves on sockets that were handed over, and leaves them to the next process", async () => {
  using handedUdp = new HandedOver("udp");
  const { port } = handedUdp;
  using handedTcp = new HandedOver("tcp", { port });
  const { server, answer, pending } = make({
    inherited: inheritedSockets([handedUdp, handedTcp]),
  });
  await server.replaceListeners([{ ...LOCAL, port }]);
  assert.deepEqual(server.addresses, [{ ...LOCAL, port }]);
  const [viaUdp, viaTcp] = [await udp(server.addresses[0]), await tcp(server.addresses[0])];
  viaUdp.ask("a.mesh");
  viaTcp.ask("b.mesh");
  await until(() => viaUdp.answers.length + viaTcp.state.answers.length === 2, "two answers");
  viaUdp.ask("slow.example");
  await until(() => pending.size === 1, "a question under way");
  const drained = server.drain();
  // One was being waited for.
  viaUdp.ask("last.mesh");
  await until(() => viaUdp.answers.length === 2, "the last one");
  viaUdp.ask("late.mesh");
  let left: string | undefined;
  await until(() => (left = handedUdp.read()) !== undefined, "the question that is left");
  assert.match(left!, /late/);
  answer("slow.example");
  await drained;
  await until(() => viaUdp.answers.length === 3, "the answer under way");
  assert.deepEqual(viaUdp.answers, ["a.mesh", "last.mesh", "slow.example"]);
  viaUdp.close();
  viaTcp.socket.destroy();
  await settle();
});

Deno.test("DnsServer has what was handed over on loopback read by the fast path, and no other", async () => {
  const bound: [string, ListenAddress][] = [];
  const open = (by: string) => (local: ListenAddress): UdpSocket => {
    bound.push([by, local]);
    return { local, send() {}, close() {} };
  };
  const [loopback, reachable] = [{ ...LOCAL, port: 53 }, { address: "192.0.2.1", port: 53 }];
  const { server } = make({
    network: {
      ...systemNetwork,
      bindUdp: (local) => Promise.resolve(open("network")(local)),
      listenTcp: (local) => Promise.resolve({ local, close() {} }),
    },
    fastPath: () => ({ bindUdp: open("fast path") }),
    inherited: [
      { fd: 3, kind: "udp", local: loopback },
      { fd: 4, kind: "udp", local: reachable },
    ],
  });
  await server.replaceListeners([loopback, reachable]);
  assert.deepEqual(bound, [
    ["fast path", { ...loopback, fd: 3 }],
    ["network", { ...reachable, fd: 4 }],
  ]);
  await server.drain();
});
