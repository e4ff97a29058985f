import assert from "node:assert/strict";
import { Errno, type Libc, libc } from "./libc.ts";
import { encodeSockaddr } from "./sockaddr.ts";
import { closeDescriptor, openUdpSocket, sendDatagram } from "./udp_listener.ts";
import { UdpPoll } from "./udp_poll.ts";
import { WakeEvent } from "./wake_event.ts";

/** Two sockets that are waited for, and the eventfd that ends the wait. */
class Fixture implements Disposable {
  readonly wake = new WakeEvent();
  readonly sockets = ["127.0.0.1", "::1"].map((address) =>
    openUdpSocket({ address, port: 0 }, { receiveBufferBytes: 1 << 16 })
  );
  readonly poll: UdpPoll;

  constructor(library?: Libc) {
    this.poll = new UdpPoll(this.sockets.map(({ fd }) => fd), this.wake.fd, library);
  }

  /** Sends a message to a socket, from itself. */
  send(socket: number): void {
    const { fd, local } = this.sockets[socket];
    assert.equal(sendDatagram(fd, new Uint8Array(1), encodeSockaddr(local)!), undefined);
  }

  /** Waits; whether there was something on each socket. */
  wait(): boolean[] {
    this.poll.wait();
    return this.sockets.map((_, socket) => this.poll.isReady(socket));
  }

  [Symbol.dispose](): void {
    for (const { fd } of [...this.sockets, this.wake]) closeDescriptor(fd);
  }
}

Deno.test("UdpPoll.wait() says which socket has something, until it is received", () => {
  using fixture = new Fixture();
  fixture.send(1);
  assert.deepEqual(fixture.wait(), [false, true]);
  fixture.send(0);
  assert.deepEqual(fixture.wait(), [true, true]);
});

Deno.test("UdpPoll.wait() ends when it is woken, once for each time", () => {
  using fixture = new Fixture();
  const { wake } = fixture;
  wake.signal();
  wake.signal();
  assert.deepEqual(fixture.wait(), [false, false]);
  const { call, errno } = libc();
  assert.equal(call.read(wake.fd, new Uint8Array(8), 8n), -1, "it was taken");
  assert.equal(errno(), Errno.EAGAIN);
  wake.signal();
  fixture.send(0);
  assert.deepEqual(fixture.wait(), [true, false], "both at once");
});

Deno.test("UdpPoll.wait() that a signal ends finds nothing, and the next one what is there", () => {
  const { call, errno } = libc();
  let interrupts = 1;
  let code = 0;
  using fixture = new Fixture({
    call: {
      ...call,
      poll: (...parameters) => {
        code = interrupts > 0 ? Errno.EINTR : 0;
        return interrupts-- > 0 ? -1 : call.poll(...parameters);
      },
    },
    errno: () => code || errno(),
  });
  fixture.send(0);
  assert.deepEqual(fixture.wait(), [false, false]);
  assert.deepEqual(fixture.wait(), [true, false]);
});

Deno.test("UdpPoll.wait() for a socket that is closed throws instead of spinning", () => {
  const fixture = new Fixture();
  fixture[Symbol.dispose]();
  assert.throws(() => fixture.wait(), { code: "EBADF" });
});
