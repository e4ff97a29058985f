import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { systemClock } from "../agent/system/clock.ts";
import { systemFiles } from "../agent/system/files.ts";
import { silentLog } from "../agent/system/log.ts";
import { SystemRandom } from "../agent/system/random.ts";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { ControlPlane } from "./control_plane.ts";
import { joinLine, loadJoinPoint } from "./join_point.ts";
import { findBinaries, JoinServer } from "./join_server.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
/** What comes instead of the program: it says how it was called, and shows the token. */
const PROGRAM = `#!/bin/sh
[ "$1" != version ] || exit 0
echo "$@"
while [ $# -gt 0 ]; do [ "$1" != --token-file ] || cat "$2"; shift; done
`;
const TOKEN = "ort_secret";
const WORKLOAD = { namespace: "vm", serviceAccount: "vm-sa" };

/** A control plane that hands out {@link PROGRAM} for every machine. */
async function withPlane(
  body: (tools: { plane: ControlPlane; stateDir: string; programs: string }) => Promise<void>,
): Promise<void> {
  await using directory = await TemporaryDirectory.make();
  for (const arch of ["x64", "arm64"]) {
    await directory.write(`programs/outrigger-linux-${arch}`, PROGRAM);
  }
  await directory.write("programs/notes.txt", "not handed out");
  await directory.write("mesh/none.yaml", "");
  const stateDir = `${directory.path}/state`;
  const programs = `${directory.path}/programs`;
  const any = { address: "127.0.0.1", port: 0 };
  await using plane = new ControlPlane({
    clock: systemClock,
    random: new SystemRandom(),
    files: systemFiles,
    log: silentLog,
    configDir: `${directory.path}/mesh`,
    stateDir,
    grpcListen: any,
    trustDomain: "corp.example",
    clusterDomain: "cluster.local",
    join: {
      listen: any,
      plainListen: any,
      host: "127.0.0.1",
      binaries: await findBinaries({ folder: programs, arch: "x64" }, systemFiles),
    },
  });
  await plane.start();
  await body({ plane, stateDir, programs });
}

/** Pastes a line into a shell. */
async function paste(line: string): Promise<{ code: number; output: string }> {
  const { code, stdout, stderr } = await new Deno.Command("sh", { args: ["-c", line] }).output();
  return { code, output: new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr) };
}

Deno.test({
  name: "joinLine() makes a line that downloads, verifies and installs, or says what is wrong",
  sanitizeOps: false,
  sanitizeResources: false,
  fn: async (t) => {
    await withPlane(async ({ stateDir, programs }) => {
      const point = await loadJoinPoint(stateDir, systemFiles);
      const whole = joinLine(point, { token: TOKEN, workload: WORKLOAD });
      assert.match(whole, /^ \(.*\)$/);
      assert.ok(whole.split(TOKEN).length === 2 && whole.includes(`printf %s ${TOKEN} | `));
      // Nothing is installed here.
      const line = whole.replace(/\)$/, " --dry-run)");
      await t.step("as it is", async () => {
        const { code, output } = await paste(line);
        assert.equal(code, 0, output);
        assert.match(
          output,
          /^install --control-plane 127\.0\.0\.1:\d+ --namespace vm --service-account vm-sa --trust-domain corp\.example --token-file \S+ --root-cert \S+ --dry-run\nort_secret$/,
        );
      });
      const wrong = (sum: string) => line.replace(sum, sha256("another"));
      const cases: [string, string, RegExp][] = [
        [
          "another script",
          wrong(point.scriptSha256),
          /^install\.sh is not the one that this line is for: nothing was run\n$/,
        ],
        [
          "another authority",
          wrong(point.caSha256),
          /the certificate authority .* is not what it should be/,
        ],
        ["other sums", wrong(point.sumsSha256), /SHA256SUMS is not what it should be/],
      ];
      for (const [title, pasted, message] of cases) {
        await t.step(title, async () => {
          const { code, output } = await paste(pasted);
          assert.equal(code, 1, output);
          assert.match(output, message);
        });
      }
      await t.step("a changed program", async () => {
        for (const arch of ["x64", "arm64"]) {
          await Deno.writeTextFile(
            `${programs}/outrigger-linux-${arch}`,
            PROGRAM.replace("echo", "echO"),
          );
        }
        const { code, output } = await paste(line);
        assert.equal(code, 1, output);
        assert.match(output, /outrigger-linux-\w+ is not what it should be/);
      });
    });
  },
});

Deno.test("loadJoinPoint() says what is not there, or not usable", async () => {
  await using directory = await TemporaryDirectory.make();
  await assert.rejects(loadJoinPoint(directory.path, systemFiles), /start the control plane/);
  for (const text of ["{", "{}", '{"version":1,"url":"https://a;reboot"}']) {
    await directory.write("join.json", text);
    await assert.rejects(loadJoinPoint(directory.path, systemFiles), /not where machines join/);
  }
});

Deno.test("findBinaries() finds programs, packed ones too, and nothing else", async () => {
  await using directory = await TemporaryDirectory.make();
  const names = ["outrigger-linux-x64", "outrigger-linux-x64.xz", "outrigger-linux-riscv64"];
  for (const name of [...names, "SHA256SUMS", "outrigger-linux-x64.xz.sig"]) {
    await directory.write(name, name);
  }
  const folder = directory.path;
  assert.deepEqual(
    await findBinaries({ folder, arch: "x64" }, systemFiles),
    names.slice(0, 2).map((name) => ({ name, path: `${folder}/${name}`, sha256: sha256(name) })),
  );
});

Deno.test("JoinServer.handle() serves what machines join with, and nothing else", async (t) => {
  await using directory = await TemporaryDirectory.make();
  const path = await directory.write("program", "program");
  const server = new JoinServer({
    rootCertificate: "pem",
    binaries: [{ name: "outrigger-linux-x64", path, sha256: sha256("program") }],
    reachedAt: () => assert.fail("only the page tells"),
  });
  const script = await Deno.readTextFile(new URL("../distribution/install.sh", import.meta.url));
  const sums = `${sha256("program")}  outrigger-linux-x64\n`;
  assert.deepEqual(server.fingerprints, {
    scriptSha256: sha256(script),
    caSha256: sha256("pem"),
    sumsSha256: sha256(sums),
  });
  const cases: [string, string, number, string | undefined][] = [
    ["GET", "/install.sh", 200, script],
    ["GET", "/ca.pem", 200, "pem"],
    ["GET", "/SHA256SUMS", 200, sums],
    ["GET", "/outrigger-linux-x64", 200, "program"],
    ["HEAD", "/outrigger-linux-x64", 200, ""],
    ["GET", "/outrigger-linux-arm64", 404, undefined],
    ["GET", "/a/outrigger-linux-x64", 404, undefined],
    ["GET", "/../../etc/passwd", 404, undefined],
    ["GET", "/ca.key", 404, undefined],
    ["POST", "/install.sh", 405, undefined],
  ];
  for (const [method, target, status, body] of cases) {
    await t.step(`${method} ${target}`, async () => {
      const response = await server.handle(new Request(`https://cp${target}`, { method }));
      const text = await response.text();
      assert.equal(response.status, status);
      if (body !== undefined) assert.equal(text, body);
      assert.match(response.headers.get("content-security-policy")!, /^default-src 'none'/);
    });
  }
});

Deno.test("JoinServer.handle() explains itself on a page that loads and runs nothing", async () => {
  const server = new JoinServer({
    rootCertificate: "pem",
    binaries: [{ name: "outrigger-linux-x64", path: "/", sha256: "0".repeat(64) }],
    reachedAt: () => ({
      url: "https://cp.example.org:15443",
      grpcAddress: "cp.example.org:15012",
    }),
  });
  const page = await (await server.handle(new Request("https://192.0.2.9/"))).text();
  assert.match(page, /^<!doctype html>/);
  assert.match(page, /outrigger control-plane token create --namespace vm --service-account vm-sa/);
  for (const sum of ["0".repeat(64), ...Object.values(server.fingerprints)]) {
    assert.ok(page.includes(sum));
  }
  for (const place of ["https://cp.example.org:15443", "cp.example.org:15012"]) {
    assert.ok(page.includes(`<code>${place}</code>`), place);
  }
  assert.doesNotMatch(page, /<script|\son\w+=|src=|@import|url\(|http-equiv/i);
  for (const [, target] of page.matchAll(/href="([^"]*)"/g)) assert.match(target, /^\//);
  const odd = await (await server.handle(new Request("https://cp/?<script>"))).text();
  assert.ok(!odd.includes("<script"));
});
