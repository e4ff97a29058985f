import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { keptFile } from "./kept_file.ts";

const CONTENT = new TextEncoder().encode("content");
const sha256 = createHash("sha256").update(CONTENT).digest("hex");

Deno.test("keptFile() makes a file once, and again where it was damaged", async () => {
  await using folder = await TemporaryDirectory.make();
  const path = `${folder.path}/denort/file`;
  let made = 0;
  const make = () => Promise.resolve((made++, CONTENT));
  for (const damage of [false, false, true, false]) {
    if (damage) await Deno.writeTextFile(path, "conten");
    assert.deepEqual(await keptFile(path, { sha256, make }), CONTENT);
  }
  assert.equal(made, 2);
  assert.deepEqual(await Deno.readFile(path), CONTENT);
});

Deno.test("keptFile() keeps nothing that has another sum", async () => {
  await using folder = await TemporaryDirectory.make();
  const make = () => Promise.resolve(new Uint8Array(3));
  await assert.rejects(
    keptFile(`${folder.path}/denort/file`, { sha256, make }),
    new RegExp(`Find out where file comes from.*and must be ${sha256}`),
  );
  assert.deepEqual(await Array.fromAsync(Deno.readDir(folder.path)), []);
});
