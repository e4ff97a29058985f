import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../agent/system/clock.ts";
import { systemFiles } from "../agent/system/files.ts";
import { SystemRandom } from "../agent/system/random.ts";
import { CertificateAuthority, type KeyPair } from "../control_plane/certificate_authority.ts";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";

const SCRIPT = join(import.meta.dirname!, "install.sh");
const text = await Deno.readTextFile(SCRIPT);
/** A program that writes down how it was called, and how the token reached it. */
const PROGRAM = `#!/bin/sh
[ "$1" != version ] || exit 0
echo "$@" | sed "s,$TMPDIR,WORK,g" >"$CALLS"
while [ $# -gt 0 ]; do [ "$1" != --token-file ] || cat "$2" >>"$CALLS"; shift; done
`;
const sha256 = (content: string) => createHash("sha256").update(content).digest("hex");
const SUMS = `${sha256("other")}  outrigger-linux-arm64\n${sha256(PROGRAM)}  outrigger-linux-x64\n`;

const isThere = async (program: string) =>
  (await new Deno.Command("sh", { args: ["-c", 'command -v "$0"', program], stdout: "null" })
    .output()).success;
/** The shells that are here; the plain one always is. */
const SHELLS: string[][] = [["sh"]];
for (const shell of [["dash"], ["bash"], ["busybox", "sh"]]) {
  if (await isThere(shell[0])) SHELLS.push(shell);
}
const DOWNLOADERS: string[] = [];
for (const program of ["curl", "wget", "busybox"]) {
  if (await isThere(program)) DOWNLOADERS.push(program);
}
/** What the script calls, and no more: what else is here must not matter. */
const TOOLS = (
  "cat chmod cp cut dirname getconf grep head id ls mkdir mktemp mv rm sed sh sha256sum sleep sync tail uname"
).split(" ");

/** A server, a folder of programs and a prefix to install into. */
class Scene implements AsyncDisposable {
  readonly files = new Map<string, string | undefined>();
  readonly seen: string[] = [];
  readonly #directory: TemporaryDirectory;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  readonly caSha256: string;

  private constructor(directory: TemporaryDirectory, ca: string, pair: KeyPair | undefined) {
    this.#directory = directory;
    this.caSha256 = sha256(ca);
    for (
      const [name, content] of Object.entries({
        "/ca.pem": ca,
        "/SHA256SUMS": SUMS,
        "/outrigger-linux-x64": PROGRAM,
      })
    ) this.files.set(name, content);
    const options = { hostname: "127.0.0.1", port: 0, onListen: () => {} };
    const handler = (request: Request) => {
      const { pathname } = new URL(request.url);
      this.seen.push(`${pathname} ${JSON.stringify([...request.headers])}`);
      const content = this.files.get(pathname);
      return content === undefined ? new Response(null, { status: 404 }) : new Response(content);
    };
    this.#server = pair === undefined
      ? Deno.serve(options, handler)
      : Deno.serve({ ...options, cert: pair.certificate, key: pair.key }, handler);
    this.url = `http${pair === undefined ? "" : "s"}://127.0.0.1:${this.#server.addr.port}`;
  }

  readonly url: string;

  /** @param options `tls`: by HTTPS, with a certificate of this authority or of another */
  static async make({ tls }: { tls?: "own" | "foreign" | "expired" } = {}): Promise<Scene> {
    const directory = await TemporaryDirectory.make();
    const authority = async (name: string) => {
      await Deno.mkdir(`${directory.path}/${name}`);
      return await CertificateAuthority.open({
        clock: tls === "expired"
          ? { ...systemClock, wallMs: () => Date.now() - 400 * 86_400_000 }
          : systemClock,
        random: new SystemRandom(),
        files: systemFiles,
        stateDir: `${directory.path}/${name}`,
        trustDomain: "cluster.local",
      });
    };
    const own = await authority("ca");
    const signer = tls === "foreign" ? await authority("other") : own;
    const pair = tls && await signer.makeServerPair(["127.0.0.1"]);
    return new Scene(directory, own.rootCertificate, pair);
  }

  /** Runs the script with a PATH of links to what it may use. */
  async run(
    args: readonly string[],
    { shell = ["sh"], downloader = DOWNLOADERS[0], stdin, stubs = {}, script = SCRIPT }: {
      shell?: readonly string[];
      downloader?: string;
      stdin?: string;
      stubs?: Record<string, string>;
      script?: string;
    } = {},
  ): Promise<{ code: number; output: string; calls: string; tree: string[] }> {
    const folder = await Deno.makeTempDir({ dir: this.#directory.path });
    const bin = join(folder, "path");
    const prefix = join(folder, "prefix");
    for (const path of [bin, prefix, join(folder, "tmp")]) await Deno.mkdir(path);
    for (const tool of [...TOOLS, downloader === "busybox" ? undefined : downloader]) {
      if (tool !== undefined && !(tool in stubs)) {
        await Deno.symlink(await pathOf(tool), join(bin, tool));
      }
    }
    if (downloader === "busybox") await Deno.symlink(await pathOf("busybox"), join(bin, "wget"));
    for (const [name, body] of Object.entries({ uname: UNAME, ...stubs })) {
      await Deno.remove(join(bin, name)).catch(() => {});
      await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    }
    const calls = join(folder, "calls");
    const [program, ...rest] = shell;
    const child = new Deno.Command(await pathOf(program), {
      args: [...rest, script, ...args.map((arg) => arg.replace("PREFIX", prefix))],
      clearEnv: true,
      env: { PATH: bin, CALLS: calls, TMPDIR: join(folder, "tmp") },
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(stdin ?? "")).catch(() => {});
    await writer.close().catch(() => {});
    const { code, stdout, stderr } = await child.output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return {
      code,
      output: decode(stdout) + decode(stderr),
      calls: await Deno.readTextFile(calls).catch(() => ""),
      tree: [...await treeOf(prefix), ...await treeOf(join(folder, "tmp"))],
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.#directory[Symbol.asyncDispose]();
  }
}

const UNAME = 'case $1 in -s) echo Linux ;; *) echo "${MACHINE:-x86_64}" ;; esac';

async function pathOf(program: string): Promise<string> {
  const { stdout } = await new Deno.Command("sh", { args: ["-c", 'command -v "$0"', program] })
    .output();
  return new TextDecoder().decode(stdout).trim();
}

async function treeOf(folder: string): Promise<string[]> {
  const paths: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    paths.push(name);
    if (isDirectory) {
      paths.push(...(await treeOf(join(folder, name))).map((path) => join(name, path)));
    }
  }
  return paths.sort();
}

const AS_ROOT = { id: "echo 0" };

Deno.test("install.sh puts a verified program in place, in every shell and by every downloader", async (t) => {
  await using scene = await Scene.make();
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
    await using scene = await Scene.make({ tls });
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
          await using plain = await Scene.make();
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
  await using scene = await Scene.make({ tls: "own" });
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
  await using scene = await Scene.make();
  const args = ["--url", scene.url, "--sums-sha256", sha256(SUMS), "--ca-sha256", scene.caSha256];
  const whole = new Map(scene.files);
  const broken: [string, string][] = [];
  for (const [path, content] of whole) {
    const length = content!.length;
    for (const at of [0, 1, length >> 2, length >> 1, length - 2, length - 1]) {
      broken.push([path, content!.slice(0, at)]);
      broken.push([path, `${content!.slice(0, at)}~${content!.slice(at + 1)}`]);
    }
    broken.push([path, `${content}\n`]);
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
  await using scene = await Scene.make();
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
  await using scene = await Scene.make();
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
  await using scene = await Scene.make();
  const args = ["--url", scene.url, "--sums-sha256", sha256(SUMS), "--no-service", "--dry-run"];
  for (const version of ["2.27", "2.41", "2.100", "3.0", "2.36.9000"]) {
    const { code, output } = await scene.run(args, { stubs: { getconf: `echo glibc ${version}` } });
    assert.equal(code, 0, output);
  }
});

Deno.test("install.sh holds the program alone against a list that nobody pinned but the server vouches for", async () => {
  await using scene = await Scene.make({ tls: "own" });
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
