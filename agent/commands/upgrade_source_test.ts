import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { CertificateAuthority } from "../../control_plane/certificate_authority.ts";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import type { Config } from "../config/config.ts";
import { systemClock } from "../system/clock.ts";
import { downloadFile } from "../system/download.ts";
import { systemFiles } from "../system/files.ts";
import { systemFileTree } from "../system/file_tree.ts";
import { SystemRandom } from "../system/random.ts";
import type { CommandContext } from "./command_context.ts";
import { readSource, type UpgradeSource } from "./upgrade_source.ts";

function program(machine: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(100_000);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  bytes[18] = machine;
  return bytes;
}

const sumOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const PROGRAM = program(0x3e);
const SUM = sumOf(PROGRAM);
const context = {
  files: systemFiles,
  machine: () => ({
    tree: systemFileTree,
    download: downloadFile,
    runProgram: () => Promise.resolve({ code: 0, stdout: "x86_64\n", stderr: "" }),
  }),
} as unknown as CommandContext;

function read(source: UpgradeSource, controlPlane?: unknown): ReturnType<typeof readSource> {
  return readSource(source, { controlPlane } as Config, context);
}

const SUMS = `${SUM}  outrigger\n${"0".repeat(64)}  damaged\n`;
const FILES: [string, Partial<UpgradeSource>, RegExp | undefined][] = [
  ["outrigger", {}, undefined],
  ["unnamed", { sha256: SUM.toUpperCase() }, undefined],
  ["unnamed", {}, /Nothing says what the sum of .*unnamed must be: put the release's SHA256SUMS/],
  ["outrigger", { sha256: "1".repeat(64) }, /The sum of .* and not 1111/],
  ["damaged", {}, /The sum of .* and not 0000/],
  ["outrigger", { sha256: "abc" }, /--sha256 takes the 64 hexadecimal digits/],
  ["none", {}, /Read ".*none"/],
  ["arm", { sha256: sumOf(program(0xb7)) }, /is a program for arm64; this machine is x64/],
  ["text", { sha256: sumOf(new TextEncoder().encode("text")) }, /is no program for Linux/],
];

for (const [name, flags, message] of FILES) {
  Deno.test(`readSource() of the file ${name} with ${JSON.stringify(flags).slice(0, 30)}`, async () => {
    await using directory = await TemporaryDirectory.make();
    await directory.write("SHA256SUMS", SUMS);
    for (const file of ["outrigger", "unnamed", "damaged"]) await directory.write(file, PROGRAM);
    await directory.write("arm", program(0xb7));
    await directory.write("text", "text");
    const result = read({ what: `${directory.path}/${name}`, ...flags });
    if (message === undefined) assert.equal((await result).sha256, SUM);
    else await assert.rejects(result, message);
  });
}

/** A control plane's downloads, over TLS, with a root of its own. */
async function serve(directory: TemporaryDirectory) {
  const authority = await CertificateAuthority.open(
    {
      stateDir: directory.path,
      trustDomain: "cluster.local",
      files: systemFiles,
      clock: systemClock,
      random: new SystemRandom(),
    } as unknown as Parameters<typeof CertificateAuthority.open>[0],
  );
  const { key, certificate } = await authority.makeServerPair(["127.0.0.1"]);
  const files: Record<string, Uint8Array<ArrayBuffer> | string> = {
    "/0.2.0/SHA256SUMS": `${SUM}  outrigger-linux-x64\n`,
    "/0.2.0/outrigger-linux-x64": PROGRAM,
    "/0.3.0/SHA256SUMS": `${SUM}  outrigger-linux-x64\n`,
    "/0.3.0/outrigger-linux-x64": PROGRAM.slice(1),
    "/0.4.0/SHA256SUMS": `${SUM}  outrigger-linux-arm64\n`,
  };
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, key, cert: certificate, onListen: () => {} },
    (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/elsewhere/0.2.0/SHA256SUMS") {
        return new Response(null, { status: 302, headers: { location: "http://127.0.0.1:1/" } });
      }
      const file = files[pathname];
      return file === undefined ? new Response("no", { status: 404 }) : new Response(file);
    },
  );
  return { url: `https://127.0.0.1:${server.addr.port}`, root: authority.rootCertificate, server };
}

Deno.test("readSource() downloads a version with its sum, from who the mesh's root vouches for", async () => {
  await using directory = await TemporaryDirectory.make();
  const { url, root, server } = await serve(directory);
  await using _ = { [Symbol.asyncDispose]: () => server.shutdown() };
  const rootCert = await directory.write("root.pem", root);
  const trusting = { ...context, machine: () => ({ ...context.machine(), download }) };
  const download = (address: string) => downloadFile(address, { roots: [root] });
  const from = (what: string, base = url) =>
    readSource({ what, from: base }, {} as Config, trusting as CommandContext);
  assert.equal((await from("0.2.0")).sha256, SUM);
  await assert.rejects(from("0.3.0"), /The sum of .*linux-x64 is/);
  await assert.rejects(from("0.4.0"), /SHA256SUMS does not name outrigger-linux-x64/);
  await assert.rejects(from("0.2.0", `${url}/none`), /Download .*SHA256SUMS: status 404/);
  await assert.rejects(from("0.2.0", `${url}/elsewhere`), /Download .*SHA256SUMS: /);
  await assert.rejects(read({ what: "0.2.0", from: url }), /Download .*SHA256SUMS: .*certificate/i);
  await assert.rejects(read({ what: "0.2.0", from: "http://192.0.2.1" }), /anybody may change/);
  await assert.rejects(read({ what: "0.2.0", from: "192.0.2.1" }), /--from takes/);
  await assert.rejects(read({ what: "0.2.0" }), /no control plane in the configuration/);
  const asked: string[] = [];
  const watching = {
    ...context,
    machine: () => ({
      ...context.machine(),
      download: (address: string, { roots }: { roots: string[] }) => {
        asked.push(address, ...roots);
        return Promise.resolve(
          address.endsWith("SUMS")
            ? new TextEncoder().encode(`${SUM}  outrigger-linux-x64\n`)
            : PROGRAM,
        );
      },
    }),
  } as unknown as CommandContext;
  const controlPlane = { addresses: ["plane.example.org:15012"], rootCert };
  await readSource({ what: "0.2.0" }, { controlPlane } as unknown as Config, watching);
  const base = "https://plane.example.org:15443";
  assert.deepEqual(asked, [
    `${base}/SHA256SUMS`,
    root,
    `${base}/outrigger-linux-x64`,
    root,
  ]);
});
