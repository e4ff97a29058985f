import assert from "node:assert/strict";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { licenceOf, licenceText } from "./licences.ts";
import { type PackageInside, packagesInside } from "./packages_inside.ts";

/** A package with these files. */
async function packageOf(
  folder: TemporaryDirectory,
  files: Record<string, string>,
): Promise<PackageInside> {
  for (const [name, content] of Object.entries(files)) await folder.write(name, content);
  return { name: "@example/a", version: "1.0.0", localPath: folder.path };
}

Deno.test("licenceOf() reads every file that terms ask to be passed on, and no other", async () => {
  await using folder = await TemporaryDirectory.make();
  const inside = await packageOf(folder, {
    "package.json": '{"license":"Apache-2.0"}',
    "LICENSE-MIT.txt": "the text\n",
    "NOTICE": "\nthe notice\n",
    "CopyrightNotice.txt": "whose it is",
    "licence.md": "in another spelling",
    "licensed.js": "code",
    "README.md": "read me",
  });
  assert.deepEqual(await licenceOf(inside), {
    expression: "Apache-2.0",
    text: "whose it is\n\nthe text\n\nthe notice\n\nin another spelling",
  });
});

Deno.test("licenceOf() refuses what must not be handed out, and says what to do", async (t) => {
  const text = { LICENSE: "the text" };
  const cases: [string, Record<string, string>, RegExp][] = [
    ["other terms", { "package.json": '{"license":"GPL-3.0-only"}', ...text }, /"GPL-3.0-only"/],
    [
      "a choice of terms",
      { "package.json": '{"license":"MIT OR GPL-2.0-only"}', ...text },
      /accept its licence in tools\/licences\.ts/,
    ],
    ["no terms", { "package.json": "{}", ...text }, /under "undefined"/],
    [
      "no text",
      { "package.json": '{"license":"MIT"}', "README.md": "MIT" },
      /Do without @example\/a@1\.0\.0.* brings none/,
    ],
    ["an empty text", { "package.json": '{"license":"MIT"}', LICENSE: "\n" }, /brings none/],
  ];
  for (const [title, files, reason] of cases) {
    await t.step(title, async () => {
      await using folder = await TemporaryDirectory.make();
      await assert.rejects(licenceOf(await packageOf(folder, files)), reason);
    });
  }
});

Deno.test("every package in the binary may be handed out, with the text of its terms", async () => {
  const packages = await packagesInside();
  assert.ok(packages.length > 10);
  await Promise.all(packages.map(licenceOf));
});

Deno.test("licenceText() has the terms of outrigger, of the runtime and of each package", async () => {
  const licence = { expression: "ISC", text: "the text of a" };
  const inside = { name: "@example/a", version: "1.0.0", localPath: "/npm", licence };
  const text = await licenceText("the text of outrigger\n", [inside]);
  const titles = text.split(/^={80}$/m).filter((_, i) => i % 2 === 1).map((title) => title.trim());
  assert.deepEqual(titles, [
    "outrigger",
    `Deno ${Deno.version.deno} (MIT)`,
    `V8 ${Deno.version.v8} (BSD-3-Clause)`,
    "@example/a 1.0.0 (ISC)",
  ]);
  assert.match(text, /the text of outrigger\n/);
  assert.match(text, /Copyright 2018-2026 the Deno authors\n/);
  assert.match(text, /Redistributions in binary form must reproduce the above/);
  assert.ok(text.endsWith("\n\nthe text of a\n"));
});
