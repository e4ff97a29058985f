import assert from "node:assert/strict";
import {
  DOWNLOADERS,
  faultsOf,
  InstallScene,
  isThere,
  PROGRAM,
  SCRIPT,
  sha256,
  SUMS,
} from "../test/support/install_scene.ts";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";

const text = await Deno.readTextFile(SCRIPT);
/** The shells that are here; the plain one always is. */
const SHELLS: string[][] = [["sh"]];
for (const shell of [["dash"], ["bash"], ["busybox", "sh"]]) {
  if (await isThere(shell[0])) SHELLS.push(shell);
}

const AS_ROOT = { id: "echo 0" };

Deno.test("install.sh puts a verified program in place, in every shell and by every downloader", async (t) => {
  await using scene = await InstallScene.make();
  for (const shell of SHELLS) {
    for (const downloader of DOWNLOADERS) {
      await t.step(`${shell.join(" ")}, ${downloader}`, async () => {
        const args = ["--url", scene.url, "--sums-sha256", sha256(SUMS), "--no-service"];
        const { code, output, tree, calls } = await scene.run([...args, "--prefix", "PREFIX"], {
          shell,
          downloader,
        });
        assert.equal(code, 0, output);
        assert.deepEqual(tree, ["bin", "bin/outrigger"]);
        assert.equal(calls, "");
      });
    }
  }
});

Deno.test("install.sh trusts the pinned authority alone, and busybox the pinned sums", async (t) => {
  for (const tls of ["own", "foreign", "expired"] as const) {
    await using scene = await InstallScene.make({ tls });
    for (const downloader of DOWNLOADERS) {
      await t.step(`${tls}, ${downloader}`, async () => {
        const args = ["--no-service", "--url", scene.url, "--ca-sha256", scene.caSha256];
        const run = (more: string[]) =>
          scene.run([...args, "--prefix", "PREFIX", ...more], { downloader });
        const { code, output, tree } = await run([]);
        if (downloader === "busybox") {
          assert.match(
            output,
            /cannot tell the server's certificate from another: give --sums-sha256/,
          );
          await using plain = await InstallScene.make();
          const pinned = ["--sums-sha256", sha256(SUMS), "--plain-url", plain.url];
          assert.match((await run(pinned)).output, /\/ca\.pem\) is not what it should be/);
          plain.files.set("/ca.pem", scene.files.get("/ca.pem"));
          const { code, output: said } = await run(pinned);
          assert.equal(code, 0, said);
        } else if (tls === "own") {
          assert.equal(code, 0, output);
        } else {
          assert.equal(code, 1, output);
          assert.match(output, /the server could not prove itself at https:.*nothing was changed/s);
          if (tls === "expired") assert.match(output, /expired/);
          assert.deepEqual(tree, []);
        }
      });
    }
  }
});

Deno.test("install.sh runs the program's own install, with what it was given and the token in a file", async () => {
  await using scene = await InstallScene.make({ tls: "own" });
  const args = [
    "--control-plane",
    "cp.example.org:15012",
    "--url",
    `${scene.url}/`,
    "--token-stdin",
  ];
  const { code, output, calls } = await scene.run([
    ...args,
    ...[
      "--ca-sha256",
      scene.caSha256,
      "--sums-sha256",
      sha256(SUMS),
      "--capture",
      "none",
      "--dry-run",
    ],
  ], { stdin: "ort_secret" });
  assert.equal(code, 0, output);
  assert.equal(
    calls,
    "install --control-plane cp.example.org:15012 --capture none --token-file WORK/token " +
      "--root-cert WORK/ca.pem --dry-run\nort_secret",
  );
  // In no URL and no header.
  assert.equal(scene.seen.length, 3);
  assert.ok(!scene.seen.join().includes("secret"));
});

Deno.test("install.sh refuses what was cut or changed at any octet, and changes nothing", async () => {
  await using scene = await InstallScene.make();
  const args = ["--url", scene.url, "--sums-sha256", sha256(SUMS), "--ca-sha256", scene.caSha256];
  const whole = new Map(scene.files);
  const broken: [string, string][] = [];
  for (const [path, content] of whole) {
    broken.push(...faultsOf(content as string).map((fault): [string, string] => [path, fault]));
  }
  for (const [path, content] of broken) {
    scene.files.set(path, content);
    const { code, output, tree, calls } = await scene.run(
      [...args, "--no-service", "--prefix", "PREFIX"],
    );
    scene.files.set(path, whole.get(path));
    const what = `${path} as ${content.length} octets\n${output}`;
    assert.equal(code, 1, what);
    assert.match(output, /is not what it should be.*nothing was changed/s, what);
    assert.deepEqual([tree, calls], [[], ""], what);
  }
});

Deno.test("install.sh does nothing when it was cut itself, at any octet", async () => {
  await using scene = await InstallScene.make();
  await using directory = await TemporaryDirectory.make();
  const args = [
    "--url",
    scene.url,
    "--sums-sha256",
    sha256(SUMS),
    "--no-service",
    "--prefix",
    "PREFIX",
  ];
  const end = text.lastIndexOf('main "$@"');
  const step = Math.ceil(end / 30);
  const cuts = [...Array.from({ length: 30 }, (_, i) => i * step), end - 1, end, end + 2, end + 3];
  for (const at of cuts.filter((cut) => cut <= end + 3)) {
    const script = await directory.write("cut.sh", text.slice(0, at));
    const { tree, calls } = await scene.run(args, { script });
    assert.deepEqual([tree, calls], [[], ""], `cut at ${at}`);
    assert.equal(scene.seen.length, 0, `cut at ${at}`);
  }
});

Deno.test("install.sh says what is wrong, and changes nothing", async (t) => {
  await using scene = await InstallScene.make();
  const good = ["--url", scene.url, "--sums-sha256", sha256(SUMS)];
  const noGetconf = "exit 127";
  const cases: [string, string[], Record<string, string>, RegExp][] = [
    ["no address", [], {}, /--url is needed/],
    ["a flag without its value", ["--url"], {}, /--url needs a value/],
    ["nothing that vouches", ["--url", scene.url], {}, /nothing else vouches for http:/],
    [
      "a version that is not there",
      [...good, "--no-service", "--version", "9.9.9"],
      {},
      /9\.9\.9\/SHA256SUMS could not be downloaded/,
    ],
    ["an ordinary user", good, { id: "echo 1000" }, /only root can install the service/],
    [
      "another folder for the service",
      [...good, "--prefix", "/opt"],
      AS_ROOT,
      /--prefix needs --no-service/,
    ],
    [
      "another system",
      [...good, "--no-service"],
      { uname: "echo Darwin" },
      /runs on Linux, and this is Darwin/,
    ],
    ["another machine", [...good, "--no-service"], {
      uname: "[ $1 = -s ] && echo Linux || echo riscv64",
    }, /there is no outrigger for riscv64/],
    ["a machine without a program", [...good, "--no-service", "--dry-run"], {
      uname: "[ $1 = -s ] && echo Linux || echo aarch64",
    }, /linux-arm64 could not be downloaded|not what it should be/],
    ["musl", [...good, "--no-service"], {
      getconf: noGetconf,
      ldd: "echo 'musl libc (x86_64)' >&2; exit 1",
    }, /needs glibc 2\.27 or later, and this system has musl instead/],
    [
      "an old glibc",
      [...good, "--no-service"],
      { getconf: "echo glibc 2.26" },
      /needs glibc 2\.27 or later, and this is 2\.26/,
    ],
    [
      "a strange glibc",
      [...good, "--no-service"],
      { getconf: "echo glibc two" },
      /not to be made out/,
    ],
    ["no downloader", [...good, "--no-service"], {}, /neither curl nor wget/],
  ];
  for (const [title, args, stubs, message] of cases) {
    await t.step(title, async () => {
      const { code, output, tree, calls } = await scene.run(args, {
        stubs,
        ...(title === "no downloader" && { downloader: "true" }),
      });
      assert.equal(code, 1, output);
      assert.match(output, message);
      assert.match(output, /nothing was changed on this machine/);
      assert.deepEqual([tree, calls], [[], ""]);
    });
  }
});

Deno.test("install.sh takes glibc from 2.27 on", async () => {
  await using scene = await InstallScene.make();
  const args = ["--url", scene.url, "--sums-sha256", sha256(SUMS), "--no-service", "--dry-run"];
  for (const version of ["2.27", "2.41", "2.100", "3.0", "2.36.9000"]) {
    const { code, output } = await scene.run(args, { stubs: { getconf: `echo glibc ${version}` } });
    assert.equal(code, 0, output);
  }
});

Deno.test("install.sh holds the program alone against a list that nobody pinned but the server vouches for", async () => {
  await using scene = await InstallScene.make({ tls: "own" });
  scene.files.set("/outrigger-linux-x64", `${PROGRAM}# changed\n`);
  const args = ["--url", scene.url, "--ca-sha256", scene.caSha256, "--no-service"];
  const downloader = DOWNLOADERS.find((name) => name !== "busybox");
  const { code, output } = await scene.run([...args, "--prefix", "PREFIX"], { downloader });
  assert.equal(code, 1);
  assert.match(output, /outrigger-linux-x64 is not what it should be/);
});

Deno.test({
  name: "install.sh is clean to shellcheck",
  ignore: !await isThere("shellcheck"),
  fn: async () => {
    const { success, stdout } = await new Deno.Command("shellcheck", { args: [SCRIPT] }).output();
    assert.ok(success, new TextDecoder().decode(stdout));
  },
});
