import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { libc } from "./libc.ts";
import { systemNetwork } from "./network.ts";
import { encodeSockaddr } from "./sockaddr.ts";
import type { SocketAddress } from "./socket_address.ts";
import {
  adoptUdpSocket,
  closeDescriptor,
  interfaceIndex,
  openUdpSocket,
  sendDatagram,
  type UdpSocketOptions,
} from "./udp_listener.ts";

const OPTIONS: UdpSocketOptions = { receiveBufferBytes: 65_536 };

/** A socket that is closed at the end of the test. */
function open(address: string): Disposable & { fd: number; local: SocketAddress } {
  const socket = openUdpSocket({ address, port: 0 }, OPTIONS);
  return { ...socket, [Symbol.dispose]: () => closeDescriptor(socket.fd) };
}

for (const address of ["127.0.0.1", "::1"]) {
  Deno.test(`openUdpSocket() and sendDatagram() on ${address}`, async () => {
    using socket = open(address);
    const { fd, local } = socket;
    assert.equal(local.address, address);
    assert.ok(local.port > 0);
    const { promise, resolve } = Promise.withResolvers<[Uint8Array, SocketAddress]>();
    const client = await systemNetwork.bindUdp({ address, port: 0 }, {
      onMessage: (message, from) => resolve([message, from]),
      onError: assert.fail,
    });
    // Few octets lie inside V8's heap, and of a view the first octet counts.
    const message = Uint8Array.of(9, 1, 2, 3).subarray(1);
    assert.equal(sendDatagram(fd, message, encodeSockaddr(client.local)!), undefined);
    const [came, from] = await promise;
    assert.deepEqual([...came], [1, 2, 3]);
    assert.deepEqual(from, local);
    client.close();
  });

  Deno.test(`openUdpSocket() tells why ${address} cannot be bound`, () => {
    using socket = open(address);
    assert.throws(() => openUdpSocket(socket.local, OPTIONS), {
      code: "EADDRINUSE",
      message: /^Could not bind UDP socket .*: EADDRINUSE$/,
    });
  });
}

Deno.test("openUdpSocket() refuses addresses that are none of this machine, or none at all", () => {
  for (const address of ["192.0.2.1", "2001:db8::1", "fe80::1%none", "example.org"]) {
    assert.throws(() => openUdpSocket({ address, port: 0 }, OPTIONS), { code: "EADDRNOTAVAIL" });
  }
});

Deno.test("openUdpSocket() leaves IPv4 alone where it is given an IPv6 address", () => {
  using socket = open("::");
  closeDescriptor(openUdpSocket({ address: "0.0.0.0", port: socket.local.port }, OPTIONS).fd);
});

Deno.test("openUdpSocket() leaves no descriptor behind, and none to programs that are started", () => {
  const { fd } = openUdpSocket({ address: "127.0.0.1", port: 0 }, OPTIONS);
  assert.match(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"), /flags:\s+02000002/);
  closeDescriptor(fd);
  assert.throws(() => openUdpSocket({ address: "192.0.2.1", port: 0 }, OPTIONS));
  const { fd: next } = openUdpSocket({ address: "127.0.0.1", port: 0 }, OPTIONS);
  closeDescriptor(next);
  assert.equal(next, fd);
});

Deno.test("sendDatagram() tells what the kernel refused", () => {
  using socket = open("127.0.0.1");
  const { fd } = socket;
  const message = new Uint8Array(10);
  const to = (address: string) => encodeSockaddr({ address, port: 53 })!;
  assert.equal(sendDatagram(fd, message, to("255.255.255.255"))?.code, "EACCES");
  assert.equal(sendDatagram(fd, new Uint8Array(70_000), to("127.0.0.1"))?.code, "EMSGSIZE");
  assert.equal(sendDatagram(-1, message, to("127.0.0.1"))?.code, "EBADF");
});

Deno.test("adoptUdpSocket() takes bound UDP sockets as they are, and nothing else", () => {
  const { call } = libc();
  const [STREAM, DATAGRAM, UNIX, IPV4] = [1, 2, 1, 2];
  const SOCK_NONBLOCK = 0o4000;
  const name = encodeSockaddr({ address: "127.0.0.1", port: 0 })!;
  for (const flags of [0, SOCK_NONBLOCK]) {
    const fd = call.socket(IPV4, DATAGRAM | flags, 0);
    call.bind(fd, name, name.length);
    const before = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const adopted = adoptUdpSocket(fd);
    assert.equal(adopted.fd, fd);
    assert.equal(adopted.local.address, "127.0.0.1");
    assert.ok(adopted.local.port > 0);
    assert.equal(readFileSync(`/proc/self/fdinfo/${fd}`, "utf8"), before);
    call.close(fd);
  }
  const unusable = [
    { what: "TCP", fd: call.socket(IPV4, STREAM, 0), code: "SOCKET_UNUSABLE" },
    { what: "Unix", fd: call.socket(UNIX, DATAGRAM, 0), code: "SOCKET_UNUSABLE" },
    { what: "not bound", fd: call.socket(IPV4, DATAGRAM, 0), code: "SOCKET_UNUSABLE" },
    { what: "eventfd", fd: call.eventfd(0, 0), code: "ENOTSOCK" },
    { what: "closed", fd: 4000, code: "EBADF" },
  ];
  for (const { what, fd, code } of unusable) {
    assert.throws(() => adoptUdpSocket(fd), { code }, what);
    if (code !== "EBADF") call.close(fd);
  }
});

Deno.test("interfaceIndex() knows the interfaces of this machine", () => {
  const lo = Number(readFileSync("/sys/class/net/lo/ifindex", "utf8"));
  assert.equal(interfaceIndex("lo"), lo);
  assert.equal(interfaceIndex("none"), 0);
});
