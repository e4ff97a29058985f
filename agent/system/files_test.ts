import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { until } from "../../test/support/until.ts";
import { systemFiles } from "./files.ts";

Deno.test("systemFiles.writeAtomic() replaces a file whole, and leaves nothing beside it", async () => {
  await using directory = await TemporaryDirectory.make();
  const path = `${directory.path}/a`;
  await systemFiles.writeAtomic(path, "one");
  await systemFiles.writeAtomic(path, new TextEncoder().encode("two"), { mode: 0o640 });
  assert.equal(await systemFiles.readText(path), "two");
  assert.equal((await systemFiles.stat(path))!.mode, 0o640);
  await systemFiles.writeAtomic(path, "three");
  assert.equal((await systemFiles.stat(path))!.mode, 0o600);
  // A folder in the way: the write fails, the folder and everything else stays.
  await Deno.mkdir(`${directory.path}/folder/x`, { recursive: true });
  await assert.rejects(systemFiles.writeAtomic(`${directory.path}/folder`, "x"));
  assert.deepEqual(await systemFiles.list(directory.path), ["a", "folder"]);
});

Deno.test("systemFiles.stat() and remove() take a missing file for an answer", async () => {
  await using directory = await TemporaryDirectory.make();
  assert.equal(await systemFiles.stat(`${directory.path}/absent`), undefined);
  await systemFiles.remove(`${directory.path}/absent`);
});

Deno.test("systemFiles.watch() tells of changes until it is ended", async () => {
  await using directory = await TemporaryDirectory.make();
  const stop = new AbortController();
  let changes = 0;
  systemFiles.watch(directory.path, () => changes++, { signal: stop.signal });
  await systemFiles.writeAtomic(`${directory.path}/a`, "x");
  await until(() => changes > 0, "a change");
  stop.abort();
  assert.throws(() =>
    systemFiles.watch(`${directory.path}/absent`, () => {}, {
      signal: new AbortController().signal,
    })
  );
});
