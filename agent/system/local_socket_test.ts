import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { connectLocal } from "./local_socket.ts";

Deno.test("connectLocal() exchanges octets with a service of this machine", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/socket`;
  using listener = Deno.listen({ transport: "unix", path });
  const echo = (async () => {
    using connection = await listener.accept();
    const buffer = new Uint8Array(10);
    const octets = await connection.read(buffer);
    await connection.write(buffer.subarray(0, octets!));
  })();
  const socket = await connectLocal(path);
  await socket.write(Uint8Array.of(1, 2, 3));
  assert.deepEqual(await socket.read(), Uint8Array.of(1, 2, 3));
  assert.equal(await socket.read(), undefined);
  await echo;
  socket.close();
  socket.close();
});

Deno.test("connectLocal() ends a read that waits when it is closed", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/socket`;
  using listener = Deno.listen({ transport: "unix", path });
  const accepted = listener.accept();
  const socket = await connectLocal(path);
  using _connection = await accepted;
  const ended = socket.read().then(() => "ended", () => "ended");
  socket.close();
  assert.equal(await ended, "ended");
  await assert.rejects(connectLocal(`${folder.path}/none`));
});
