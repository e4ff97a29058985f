import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { until } from "../../test/support/until.ts";
import { libc } from "./libc.ts";
import { encodeNotice, openServiceManager, type ServiceNotice } from "./service_manager.ts";

Deno.test("encodeNotice() writes an assignment a line", async (t) => {
  const cases: [string, ServiceNotice, string][] = [
    ["ready", { event: "ready", status: "Serving DNS" }, "READY=1\nSTATUS=Serving DNS"],
    ["alive", { event: "alive" }, "WATCHDOG=1"],
    ["stopping", { event: "stopping" }, "STOPPING=1"],
    ["reloading, and when", { event: "reloading" }, "RELOADING=1\nMONOTONIC_USEC=123456789"],
    ["more time to start", { extendMs: 1_500 }, "EXTEND_TIMEOUT_USEC=1500000"],
    ["words alone", { status: "Starting" }, "STATUS=Starting"],
    ["words that would be an assignment", { status: "a\nREADY=1" }, "STATUS=a READY=1"],
  ];
  for (const [title, notice, expected] of cases) {
    await t.step(title, () => assert.equal(encodeNotice(notice, 123_456_789), expected));
  }
});

/** A socket such as a service manager has; reading does not wait. */
class Receiver implements Disposable {
  readonly #fd: number;

  constructor(address: string) {
    const { call } = libc();
    this.#fd = call.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    const path = new TextEncoder().encode(address.replace(/^@/, "\0"));
    const bound = Uint8Array.of(AF_UNIX, 0, ...path);
    assert.equal(call.bind(this.#fd, bound, bound.length), 0);
  }

  read(): string | undefined {
    const buffer = new Uint8Array(1000);
    const octets = libc().call.read(this.#fd, buffer, 1000n);
    return octets < 0 ? undefined : new TextDecoder().decode(buffer.subarray(0, octets));
  }

  [Symbol.dispose](): void {
    libc().call.close(this.#fd);
  }
}

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;

Deno.test("openServiceManager() sends each notice as a datagram", async (t) => {
  await using folder = await TemporaryDirectory.make();
  const addresses = [
    ["a path", `${folder.path}/notify`],
    ["an abstract name", `@outrigger-${crypto.randomUUID()}`],
  ];
  for (const [title, address] of addresses) {
    await t.step(title, () => {
      using receiver = new Receiver(address);
      const manager = openServiceManager({ notifySocket: address, watchdogMs: 5_000 })!;
      assert.equal(manager.watchdogMs, 5_000);
      manager.notify({ event: "ready", status: "Serving DNS" });
      manager.notify({ event: "alive" });
      assert.equal(receiver.read(), "READY=1\nSTATUS=Serving DNS");
      assert.equal(receiver.read(), "WATCHDOG=1");
      assert.equal(receiver.read(), undefined);
    });
  }
});

Deno.test("openServiceManager() dates a reload by the clock that systemd uses", async () => {
  await using folder = await TemporaryDirectory.make();
  const address = `${folder.path}/notify`;
  using receiver = new Receiver(address);
  openServiceManager({ notifySocket: address })!.notify({ event: "reloading" });
  const [, microseconds] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(receiver.read()!)!;
  const uptimeUs = Number((await Deno.readTextFile("/proc/uptime")).split(" ")[0]) * 1e6;
  // Not the runtime's clock, which begins with the process; not past the uptime, which counts sleep.
  assert.ok(Number(microseconds) > performance.now() * 1000, microseconds);
  assert.ok(Number(microseconds) < uptimeUs + 1e6, microseconds);
});

Deno.test("openServiceManager() sends later what there was no room for, in order", async () => {
  await using folder = await TemporaryDirectory.make();
  const address = `${folder.path}/notify`;
  using receiver = new Receiver(address);
  const manager = openServiceManager({ notifySocket: address })!;
  // The kernel's queue holds net.unix.max_dgram_qlen datagrams, and one more.
  const room = Number(await Deno.readTextFile("/proc/sys/net/unix/max_dgram_qlen")) + 1;
  const sent = Array.from({ length: room + 2 }, (_, i) => `notice ${i}`);
  for (const status of sent) manager.notify({ status });
  const received: string[] = [];
  await until(() => {
    for (let text = receiver.read(); text !== undefined; text = receiver.read()) {
      received.push(text);
    }
    return received.length >= sent.length;
  }, "all notices");
  assert.deepEqual(received, sent.map((status) => `STATUS=${status}`));
});

Deno.test("openServiceManager() outlives a service manager that is gone", async () => {
  await using folder = await TemporaryDirectory.make();
  const manager = openServiceManager({ notifySocket: `${folder.path}/notify` })!;
  manager.notify({ event: "alive" });
  using receiver = new Receiver(`${folder.path}/notify`);
  manager.notify({ event: "stopping" });
  assert.equal(receiver.read(), "STOPPING=1");
});

Deno.test("openServiceManager() takes no address that is none", () => {
  assert.equal(openServiceManager({}), undefined);
  for (const notifySocket of ["notify", "@", "vsock:2:1234", `/${"a".repeat(107)}`]) {
    assert.throws(
      () => openServiceManager({ notifySocket }),
      { code: "SERVICE_MANAGER_UNREACHABLE" },
      notifySocket,
    );
  }
});
