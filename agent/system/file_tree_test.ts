import assert from "node:assert/strict";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { systemFileTree as tree } from "./file_tree.ts";
import { NO_PROGRAM, runProgramOfMachine } from "./programs.ts";

const OWN = { mode: 0o640, uid: Deno.uid() ?? 0, gid: Deno.gid() ?? 0 };
const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("systemFileTree makes, names, replaces and removes files and links", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = (name: string) => `${folder.path}/${name}`;
  await tree.create(path("a"), bytes("a"), OWN);
  await assert.rejects(tree.create(path("a"), bytes("b"), OWN), Deno.errors.AlreadyExists);
  const { type, mode } = (await tree.look(path("a")))!;
  assert.deepEqual({ type, mode }, { type: "file", mode: 0o640 });
  await tree.copy(path("a"), path("copy"), { ...OWN, mode: 0o755 });
  await tree.overwrite(path("a"), bytes("longer"));
  await tree.overwrite(path("a"), bytes("c"));
  assert.equal(new TextDecoder().decode(await tree.readBytes(path("a"))), "c");
  assert.equal(new TextDecoder().decode(await tree.readBytes(path("copy"))), "a");

  await tree.makeLink("nowhere", path("link"));
  await tree.addName(path("link"), path("link2"));
  assert.equal(await tree.readLink(path("link2")), "nowhere");
  assert.equal((await tree.look(path("link")))?.inode, (await tree.look(path("link2")))?.inode);
  await tree.rename(path("link2"), path("a"));
  assert.equal((await tree.look(path("a")))?.type, "link");
  await tree.remove(path("a"));
  await tree.remove(path("a"));
  assert.equal(await tree.look(path("a")), undefined);

  await tree.makeDirectory(path("d"), { ...OWN, mode: 0o750 });
  assert.equal((await tree.look(path("d")))?.mode, 0o750);
  await tree.create(path("d/x"), bytes(""), OWN);
  await tree.removeDirectory(path("d"));
  assert.deepEqual(await tree.list(path("d")), ["x"]);
  await tree.sync(path("d"));
  await tree.removeTree(path("d"));
  await tree.removeTree(path("d"));
  await tree.removeDirectory(path("d"));
  assert.equal(await tree.look(path("d")), undefined);
});

Deno.test("systemFileTree.exclusively() lets one act after the other", async () => {
  await using folder = await TemporaryDirectory.make();
  const said: string[] = [];
  const act = (name: string) =>
    tree.exclusively(folder.path, async () => {
      said.push(`${name} begins`);
      await tree.list(folder.path);
      said.push(`${name} ends`);
    });
  await Promise.all([act("a"), act("b")]);
  await act("c");
  assert.deepEqual(said.map((text, i) => text.split(" ")[0] === said[i ^ 1].split(" ")[0]), [
    ...[true, true, true, true, true, true],
  ]);
  assert.equal(said.at(-1), "c ends");
});

Deno.test("runProgramOfMachine() gives input, exit code and output, and knows what is not there", async () => {
  assert.deepEqual(
    await runProgramOfMachine(["sh", "-c", "cat; echo no >&2; exit 3"], { input: "yes" }),
    {
      code: 3,
      stdout: "yes",
      stderr: "no\n",
    },
  );
  assert.equal((await runProgramOfMachine(["no-such-program"])).code, NO_PROGRAM);
  assert.equal((await runProgramOfMachine(["true"], { input: "unread" })).code, 0);
});
