import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { downloadedBase, DownloadError } from "./denort_download.ts";

const TARGET = "aarch64-unknown-linux-gnu";
const PATH = `/v${Deno.version.deno}/denort-${TARGET}.zip`;
/** By Info-ZIP's zip(1): a file `denort`; the same, stored and not deflated; a file `deno`. */
const ARCHIVES = {
  denort: "UEsDBBQAAAAIAO2hfl1V3Ea9FAAAACAAAAAGABwAZGVub3J0VVQJAANe2Q1rXtkNa3V4CwABBAAAAAAEAAAA" +
    "ACvJSFVISiwGEpl5iUWVOgolqAIAUEsBAh4DFAAAAAgA7aF+XVXcRr0UAAAAIAAAAAYAGAAAAAAAAQAAAKSB" +
    "AAAAAGRlbm9ydFVUBQADXtkNa3V4CwABBAAAAAAEAAAAAFBLBQYAAAAAAQABAEwAAABUAAAAAAA=",
  stored: "UEsDBAoAAAAAAO2hfl1V3Ea9IAAAACAAAAAGABwAZGVub3J0VVQJAANe2Q1rXtkNa3V4CwABBAAAAAAEAAAA" +
    "AHRoZSBiYXNlIGJpbmFyeSwgdGhlIGJhc2UgYmluYXJ5UEsBAh4DCgAAAAAA7aF+XVXcRr0gAAAAIAAAAAYA" +
    "GAAAAAAAAAAAAKSBAAAAAGRlbm9ydFVUBQADXtkNa3V4CwABBAAAAAAEAAAAAFBLBQYAAAAAAQABAEwAAABg" +
    "AAAAAAA=",
  deno: "UEsDBBQAAAAIAO2hfl1V3Ea9FAAAACAAAAAEABwAZGVub1VUCQADXtkNa17ZDWt1eAsAAQQAAAAABAAAAAAr" +
    "yUhVSEosBhKZeYlFlToKJagCAFBLAQIeAxQAAAAIAO2hfl1V3Ea9FAAAACAAAAAEABgAAAAAAAEAAACkgQAA" +
    "AABkZW5vVVQFAANe2Q1rdXgLAAEEAAAAAAQAAAAAUEsFBgAAAAABAAEASgAAAFIAAAAAAA==",
};
const octetsOf = (archive: string) => new Uint8Array(Buffer.from(archive, "base64"));

/** Deno's releases: what is at which path, and what was asked for. */
class Releases implements AsyncDisposable {
  readonly files = new Map<string, Uint8Array<ArrayBuffer>>();
  readonly asked: string[] = [];
  readonly #server: Deno.HttpServer<Deno.NetAddr>;

  /** @param archive what is there, with its sum beside it */
  constructor(archive: Uint8Array<ArrayBuffer>) {
    const sum = createHash("sha256").update(archive).digest("hex");
    this.files.set(PATH, archive);
    this.files.set(
      `${PATH}.sha256sum`,
      new TextEncoder().encode(`${sum}  denort-${TARGET}.zip\n`),
    );
    this.#server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, (request) => {
      const { pathname } = new URL(request.url);
      this.asked.push(pathname);
      const content = this.files.get(pathname);
      return content === undefined ? new Response(null, { status: 404 }) : new Response(content);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#server.addr.port}`;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.shutdown();
  }
}

Deno.test("downloadedBase() takes denort out of the archive of this version, and keeps that", async () => {
  await using releases = new Releases(octetsOf(ARCHIVES.denort));
  await using kept = await TemporaryDirectory.make();
  const options = { releases: releases.url, folder: `${kept.path}/denort` };
  const text = async () => new TextDecoder().decode(await downloadedBase(TARGET, options));
  assert.equal(await text(), "the base binary, the base binary");
  assert.equal(await text(), "the base binary, the base binary");
  assert.deepEqual(releases.asked, [`${PATH}.sha256sum`, PATH, `${PATH}.sha256sum`]);
});

Deno.test("downloadedBase() tells a base that cannot be had from one that must not be used", async (t) => {
  const cases: [string, (releases: Releases) => void, boolean, RegExp][] = [
    ["no release", ({ files }) => files.clear(), true, /\.zip\.sha256sum: status 404/],
    ["no archive", ({ files }) => files.delete(PATH), true, /\.zip: status 404/],
    [
      "an archive that was changed",
      ({ files }) => files.set(PATH, octetsOf(ARCHIVES.stored)),
      false,
      /its SHA-256 is [0-9a-f]{64}, and must be 41c1368d/,
    ],
    [
      "the sum of something else",
      ({ files }) => files.set(`${PATH}.sha256sum`, new TextEncoder().encode("<html>")),
      false,
      /has no sum of it: "<html>"/,
    ],
  ];
  for (const [title, change, cannotBeHad, reason] of cases) {
    await t.step(title, async () => {
      await using releases = new Releases(octetsOf(ARCHIVES.denort));
      await using kept = await TemporaryDirectory.make();
      change(releases);
      await assert.rejects(
        downloadedBase(TARGET, { releases: releases.url, folder: kept.path }),
        (error: Error) =>
          error instanceof DownloadError === cannotBeHad && reason.test(error.message),
      );
      assert.deepEqual(await Array.fromAsync(Deno.readDir(kept.path)), []);
    });
  }
  await t.step("nobody there", async () => {
    const releases = new Releases(octetsOf(ARCHIVES.denort));
    await releases[Symbol.asyncDispose]();
    await assert.rejects(
      downloadedBase(TARGET, { releases: releases.url }),
      (error) => error instanceof DownloadError && /Connection refused/.test(error.message),
    );
  });
});

Deno.test("downloadedBase() refuses archives that it does not know, with the right sum too", async () => {
  for (const archive of [ARCHIVES.stored, ARCHIVES.deno]) {
    await using releases = new Releases(octetsOf(archive));
    await using kept = await TemporaryDirectory.make();
    await assert.rejects(
      downloadedBase(TARGET, { releases: releases.url, folder: kept.path }),
      /This is no ZIP archive that begins with denort/,
    );
  }
});
