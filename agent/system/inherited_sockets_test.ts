import assert from "node:assert/strict";
import { HandedOver } from "../../test/support/handed_over.ts";
import { until } from "../../test/support/until.ts";
import { inheritedSockets, openInheritedUdp } from "./inherited_sockets.ts";
import { libc } from "./libc.ts";
import { systemNetwork } from "./network.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

Deno.test("inheritedSockets() tells what each is, and passes over what serves no DNS", async () => {
  using udp = new HandedOver("udp");
  using tcp = new HandedOver("tcp");
  using connecting = new HandedOver("tcp", { listens: false });
  using file = await Deno.open("/dev/null");
  const unix = libc().call.socket(1, 2, 0);
  assert.deepEqual(
    inheritedSockets([udp.fd, tcp.fd, connecting.fd, unix, 4242].map((fd) => ({ fd }))),
    [
      { fd: udp.fd, kind: "udp", local: { address: "127.0.0.1", port: udp.port } },
      { fd: tcp.fd, kind: "tcp", local: { address: "127.0.0.1", port: tcp.port } },
    ],
  );
  for (const fd of [udp.fd, tcp.fd, connecting.fd, unix]) libc().call.close(fd);
  void file;
});

Deno.test("openInheritedUdp() answers from the socket, and leaves to others what it does not read", async () => {
  using handed = new HandedOver("udp");
  const received: string[] = [];
  const server = await openInheritedUdp(handed.fd, {
    onMessage(message, from) {
      received.push(decoder.decode(message));
      server.send(encoder.encode("answer"), from);
    },
    onError: assert.fail,
  });
  assert.deepEqual(server.local, { address: "127.0.0.1", port: handed.port });
  const answers: [string, number][] = [];
  const client = await systemNetwork.bindUdp({ address: "127.0.0.1", port: 0 }, {
    onMessage: (message, from) => void answers.push([decoder.decode(message), from.port]),
    onError: assert.fail,
  });
  client.send(encoder.encode("first"), server.local);
  await until(() => answers.length === 1, "the answer");
  assert.deepEqual([received, answers], [["first"], [["answer", handed.port]]]);

  await server.stopReading!();
  // One was being waited for.
  client.send(encoder.encode("second"), server.local);
  await until(() => answers.length === 2, "the answer to the one that was waited for");
  client.send(encoder.encode("third"), server.local);
  let left: string | undefined;
  await until(() => (left = handed.read()) !== undefined, "what is left to others");
  assert.equal(left, "third");
  server.send(encoder.encode("late"), client.local);
  await until(() => answers.length === 3, "an answer while nothing is read");

  server.close();
  client.send(encoder.encode("fourth"), server.local);
  await until(() => (left = handed.read()) !== undefined, "what comes after the close");
  assert.equal(left, "fourth");
  assert.deepEqual(received, ["first", "second"]);
  client.close();
});

Deno.test("openInheritedUdp() refuses what is no socket", async () => {
  using file = await Deno.open("/dev/null");
  void file;
  await assert.rejects(openInheritedUdp(4242, { onMessage() {}, onError() {} }), { code: "EBADF" });
});
