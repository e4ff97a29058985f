import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import type { BaseOrigin } from "./denort_base.ts";
import { NoBaseError } from "./denort_fallback.ts";
import { makePrograms, type ProgramMaker, sumUp } from "./dist.ts";

/** Writes what it is told to build and to pack, for a folder of tests. */
function maker(
  { cannot = [], origin = "deno" }: { cannot?: string[]; origin?: BaseOrigin } = {},
): ProgramMaker & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    build: async (target, output) => {
      if (cannot.includes(target)) throw new NoBaseError(`no base for ${target}`);
      await Deno.writeTextFile(output, target);
      return origin;
    },
    pack: (path) => Deno.copyFile(path, `${path}.xz`),
    print: (line) => void lines.push(line),
  };
}

Deno.test("makePrograms() makes and packs the program of each architecture, under the name it is downloaded by", async () => {
  await using folder = await TemporaryDirectory.make();
  assert.deepEqual(await makePrograms(folder.path, maker()), {
    names: [
      "outrigger-linux-x64",
      "outrigger-linux-x64.xz",
      "outrigger-linux-arm64",
      "outrigger-linux-arm64.xz",
    ],
    notForRelease: [],
  });
  assert.equal(
    await Deno.readTextFile(`${folder.path}/outrigger-linux-arm64.xz`),
    "aarch64-unknown-linux-gnu",
  );
});

Deno.test("makePrograms() goes on without a program that there is no base for, and says why", async () => {
  await using folder = await TemporaryDirectory.make();
  const made = maker({ cannot: ["aarch64-unknown-linux-gnu"] });
  const { names, notForRelease } = await makePrograms(folder.path, made);
  assert.deepEqual(names, ["outrigger-linux-x64", "outrigger-linux-x64.xz"]);
  assert.deepEqual(notForRelease, ["outrigger-linux-arm64 is missing"]);
  assert.deepEqual(made.lines, [
    "outrigger-linux-arm64 cannot be built: no base for aarch64-unknown-linux-gnu",
  ]);
});

Deno.test("makePrograms() tells which programs are on the fallback base", async () => {
  await using folder = await TemporaryDirectory.make();
  const made = maker({ cannot: ["aarch64-unknown-linux-gnu"], origin: "fallback" });
  const { notForRelease } = await makePrograms(folder.path, made);
  assert.deepEqual(notForRelease, [
    "outrigger-linux-x64 is built on the fallback base",
    "outrigger-linux-arm64 is missing",
  ]);
});

Deno.test("makePrograms() fails where there is no program at all, and where one does not run or cannot be packed", async () => {
  await using folder = await TemporaryDirectory.make();
  const cannot = ["x86_64-unknown-linux-gnu", "aarch64-unknown-linux-gnu"];
  await assert.rejects(makePrograms(folder.path, maker({ cannot })), /No program could be built/);
  const build = () => Promise.reject(new Error("it does not run"));
  await assert.rejects(makePrograms(folder.path, { ...maker(), build }), /it does not run/);
  const pack = () => Promise.reject(new Error("xz is not there"));
  await assert.rejects(makePrograms(folder.path, { ...maker(), pack }), /xz is not there/);
});

/** Sums up files of these sizes, without content; returns what was printed. */
async function sumUpFiles(
  folder: TemporaryDirectory,
  sizes: Record<string, number>,
  last: Record<string, number> = {},
): Promise<string[]> {
  for (const [name, size] of Object.entries(sizes)) {
    await Deno.truncate(await folder.write(name, ""), size);
  }
  const lines: string[] = [];
  await sumUp(folder.path, {
    names: Object.keys(sizes),
    last,
    print: (line) => lines.push(line.replace(`${folder.path}/`, "")),
  });
  return lines;
}

Deno.test("sumUp() writes sums as sha256sum does, in the order of the names", async () => {
  await using folder = await TemporaryDirectory.make();
  await sumUpFiles(folder, { "outrigger-linux-x64": 3, "install.sh": 2 });
  const sum = (octets: number) => createHash("sha256").update(new Uint8Array(octets)).digest("hex");
  assert.equal(
    await Deno.readTextFile(`${folder.path}/SHA256SUMS`),
    `${sum(3)}  outrigger-linux-x64\n${sum(2)}  install.sh\n`,
  );
});

Deno.test("sumUp() tells what a file takes more or less than in the last release", async () => {
  await using folder = await TemporaryDirectory.make();
  const sizes = { a: 1_500_000, b: 1_000_000, c: 1_000_000, d: 0 };
  assert.deepEqual(await sumUpFiles(folder, sizes, { a: 1_000_000, b: 1_250_000, c: 1_000_000 }), [
    "a: 1.50 MB, +0.50 MB since the last release",
    "b: 1.00 MB, -0.25 MB since the last release",
    "c: 1.00 MB, +0.00 MB since the last release",
    "d: 0.00 MB, not in the last release",
  ]);
});

Deno.test("sumUp() fails where a file is too large, and leaves no sums to hand it out by", async (t) => {
  const cases: [string, number][] = [
    ["outrigger-linux-x64", 100e6],
    ["outrigger-linux-arm64", 100e6],
    ["outrigger-linux-x64.xz", 30e6],
    ["LICENSES.txt", 30e6],
  ];
  for (const [name, limit] of cases) {
    await t.step(name, async () => {
      await using folder = await TemporaryDirectory.make();
      await assert.rejects(
        sumUpFiles(folder, { "install.sh": 1, [name]: limit + 1 }),
        new RegExp(`${name} takes 1 octets more than it may`),
      );
      await assert.rejects(Deno.stat(`${folder.path}/SHA256SUMS`), Deno.errors.NotFound);
    });
  }
});
