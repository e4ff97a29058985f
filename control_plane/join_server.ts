/**
 * What machines join with, by HTTPS: the script, the certificate authority, the programs with their sums,
 * and a page that explains it. Read-only; nothing in it is secret, and a token never comes here.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import installScript from "../distribution/install.sh" with { type: "text" };
import { binaryFileName, SUMS_FILE } from "../agent/downloads.ts";
import { PAGE_HEADERS } from "../agent/html_page.ts";
import { type FileBody, openFileBody, sha256OfFile } from "../agent/system/file_body.ts";
import type { Files } from "../agent/system/files.ts";
import { joinPage, type ReachedAt } from "./join_page.ts";

/** A program that is handed out. */
export interface Binary {
  /** E.g. `outrigger-linux-x64`. */
  name: string;
  /** Where it is. */
  path: string;
  /** Of its content. */
  sha256: string;
}

/** Names of programs, packed ones too. */
const BINARY_NAME = /^outrigger-linux-(x64|arm64)(\.xz)?$/;
const HEADERS = { ...PAGE_HEADERS, "cache-control": "no-cache" };

/**
 * The programs to hand out: those of a folder, else the one that runs, for its own kind of machine.
 *
 * @param options `folder`: of files such as `outrigger-linux-x64`; `program`: the one that runs, where it is
 * no source; `arch`: what it runs on
 * @throws the disk's error
 */
export async function findBinaries(
  { folder, program, arch }: { folder?: string; program?: string; arch: string },
  files: Pick<Files, "list">,
): Promise<Binary[]> {
  const paths: [name: string, path: string][] = folder !== undefined
    ? (await files.list(folder)).map((name) => [name, join(folder, name)])
    : program === undefined
    ? []
    : [[binaryFileName(arch), program]];
  const binaries: Binary[] = [];
  for (const [name, path] of paths) {
    if (BINARY_NAME.test(name)) binaries.push({ name, path, sha256: await sha256OfFile(path) });
  }
  return binaries;
}

/** All that is served. */
export class JoinServer {
  readonly #rootCertificate: string;
  readonly #binaries: readonly Binary[];
  readonly #reachedAt: () => ReachedAt;
  readonly #openFile: (path: string) => Promise<FileBody>;
  readonly #sums: string;

  /**
   * Sums up what is handed out.
   *
   * @param options `reachedAt` is known when it is asked for; `openFile` reads the programs, by default from
   * the disk
   */
  constructor(
    { rootCertificate, binaries, reachedAt, openFile = openFileBody }: {
      rootCertificate: string;
      binaries: readonly Binary[];
      reachedAt: () => ReachedAt;
      openFile?: (path: string) => Promise<FileBody>;
    },
  ) {
    this.#rootCertificate = rootCertificate;
    this.#binaries = binaries;
    this.#reachedAt = reachedAt;
    this.#openFile = openFile;
    this.#sums = binaries.map(({ name, sha256 }) => `${sha256}  ${name}\n`).join("");
  }

  /** The sums of the small files. */
  get fingerprints(): { scriptSha256: string; caSha256: string; sumsSha256: string } {
    return {
      scriptSha256: sha256(installScript),
      caSha256: sha256(this.#rootCertificate),
      sumsSha256: sha256(this.#sums),
    };
  }

  /** Answers a request. */
  async handle(request: Request): Promise<Response> {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return answer("only GET and HEAD\n", "text/plain", 405);
    }
    const { pathname } = new URL(request.url);
    switch (pathname) {
      case "/": {
        const facts = { ...this.#reachedAt(), sums: this.#sums, ...this.fingerprints };
        return answer(joinPage(facts), "text/html");
      }
      case "/install.sh":
        return answer(installScript, "text/x-shellscript");
      case "/ca.pem":
        return answer(this.#rootCertificate, "application/x-pem-file");
      case `/${SUMS_FILE}`:
        return answer(this.#sums, "text/plain");
    }
    const binary = this.#binaries.find(({ name }) => name === basename(pathname));
    if (binary === undefined || pathname !== `/${binary.name}`) {
      return answer("there is nothing here; / explains what there is\n", "text/plain", 404);
    }
    const { sizeBytes, stream } = await this.#openFile(binary.path);
    if (request.method === "HEAD") await stream.cancel();
    return new Response(request.method === "HEAD" ? null : stream, {
      headers: {
        ...HEADERS,
        "content-type": "application/octet-stream",
        "content-length": `${sizeBytes}`,
      },
    });
  }
}

function answer(text: string, type: string, status = 200): Response {
  return new Response(text, {
    status,
    headers: { ...HEADERS, "content-type": `${type}; charset=utf-8` },
  });
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
