import assert from "node:assert/strict";
import {
  faultsOf,
  InstallScene,
  isThere,
  pathOf,
  PROGRAM,
  sha256,
  SUMS,
} from "../test/support/install_scene.ts";

/** The program packed, in a way that a stand-in for xz undoes. */
const PACKED = `packed ${PROGRAM}`;
const XZ = '[ "$*" = -dc ] && exec tail -c +8';
const PACKED_SUMS = `${SUMS}${sha256(PACKED)}  outrigger-linux-x64.xz\n`;

/** A scene that has the program packed too, and what is given to the script there. */
async function packedScene() {
  const scene = await InstallScene.make();
  scene.files.set("/SHA256SUMS", PACKED_SUMS);
  scene.files.set("/outrigger-linux-x64.xz", PACKED);
  const run = (stubs: Record<string, string> = { xz: XZ }) =>
    scene.run(
      ["--url", scene.url, "--sums-sha256", sha256(`${scene.files.get("/SHA256SUMS")}`)]
        .concat("--no-service", "--prefix", "PREFIX"),
      { stubs },
    );
  /** What was asked for since the last look. */
  const asked = () => scene.seen.splice(0).map((line) => line.split(" ")[0]);
  return { scene, run, asked, [Symbol.asyncDispose]: () => scene[Symbol.asyncDispose]() };
}

Deno.test("install.sh takes the packed program where it can, and says why where not", async (t) => {
  const [SUMS_PATH, PLAIN, XZ_PATH] = [
    "/SHA256SUMS",
    "/outrigger-linux-x64",
    "/outrigger-linux-x64.xz",
  ];
  const broken = "echo 'xz: no memory' >&2; exit 1";
  const cases: {
    title: string;
    files?: Record<string, string | undefined>;
    stubs?: Record<string, string>;
    expected: string[];
    word?: RegExp;
  }[] = [
    { title: "xz is there", expected: [SUMS_PATH, XZ_PATH] },
    { title: "nothing unpacks", stubs: {}, expected: [SUMS_PATH, PLAIN] },
    {
      title: "it is not in the list",
      files: { [SUMS_PATH]: SUMS },
      expected: [SUMS_PATH, PLAIN],
    },
    {
      title: "it is in the list, and not there",
      files: { [XZ_PATH]: undefined },
      expected: [SUMS_PATH, XZ_PATH, XZ_PATH, PLAIN],
      word: /x64\.xz could not be downloaded, so the program is taken unpacked: .*404/,
    },
    {
      title: "xz fails",
      stubs: { xz: broken },
      expected: [SUMS_PATH, XZ_PATH, PLAIN],
      word: /xz could not unpack .*, so the program is taken unpacked: xz: no memory/,
    },
  ];
  for (const { title, files = {}, stubs, expected, word } of cases) {
    await t.step(title, async () => {
      await using packed = await packedScene();
      for (const [path, text] of Object.entries(files)) packed.scene.files.set(path, text);
      const { code, output, tree, program } = await packed.run(stubs);
      assert.equal(code, 0, output);
      assert.deepEqual(packed.asked(), expected);
      if (word === undefined) assert.doesNotMatch(output, /packed/);
      else assert.match(output, word);
      assert.deepEqual(tree, ["bin", "bin/outrigger"]);
      assert.equal(program, PROGRAM);
    });
  }
});

Deno.test("install.sh refuses a packed program that was cut or changed at any octet, or holds another", async () => {
  await using packed = await packedScene();
  const { scene: { files }, run } = packed;
  const refused = async (message: RegExp, what: string) => {
    const { code, output, tree, calls } = await run();
    assert.equal(code, 1, what);
    assert.match(output, message, what);
    assert.match(output, /nothing was changed/, what);
    assert.deepEqual([tree, calls], [[], ""], what);
  };
  for (const fault of faultsOf(PACKED)) {
    files.set("/outrigger-linux-x64.xz", fault);
    await refused(/x64\.xz is not what it should be/, `${fault.length} octets`);
  }
  const other = `${PACKED}# changed\n`;
  files.set("/outrigger-linux-x64.xz", other);
  files.set("/SHA256SUMS", PACKED_SUMS.replace(sha256(PACKED), sha256(other)));
  await refused(/x64 is not what it should be/, "another program");
  files.set("/SHA256SUMS", `${sha256(PACKED)}  outrigger-linux-x64.xz\n`);
  await refused(/has no outrigger for linux-x64/, "no sum of the program itself");
});

Deno.test({
  name: "install.sh unpacks with what is there: xz, xzcat, busybox",
  ignore: !await isThere("xz"),
  fn: async (t) => {
    const source = await Deno.makeTempFile();
    await Deno.writeTextFile(source, PROGRAM);
    const { stdout } = await new Deno.Command("xz", { args: ["-c", source] }).output();
    await Deno.remove(source);
    for (const unpacker of ["xz", "xzcat", "busybox"]) {
      if (!await isThere(unpacker)) continue;
      await t.step(unpacker, async () => {
        await using packed = await packedScene();
        packed.scene.files.set("/outrigger-linux-x64.xz", stdout);
        packed.scene.files.set(
          "/SHA256SUMS",
          PACKED_SUMS.replace(sha256(PACKED), sha256(stdout)),
        );
        const { code, output, program } = await packed.run({
          [unpacker]: `exec ${await pathOf(unpacker)} "$@"`,
        });
        assert.equal(code, 0, output);
        assert.equal(program, PROGRAM);
        assert.deepEqual(packed.asked(), ["/SHA256SUMS", "/outrigger-linux-x64.xz"]);
      });
    }
  },
});
