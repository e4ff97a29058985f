/**
 * install.sh as a machine runs it: a server to download from, a PATH with nothing but what it may use, and a
 * folder to install into.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { systemClock } from "../../agent/system/clock.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { SystemRandom } from "../../agent/system/random.ts";
import { CertificateAuthority, type KeyPair } from "../../control_plane/certificate_authority.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

/** The script. */
export const SCRIPT = join(import.meta.dirname!, "../../distribution/install.sh");
/** A program that writes down how it was called, and how the token reached it. */
export const PROGRAM = `#!/bin/sh
[ "$1" != version ] || exit 0
echo "$@" | sed "s,$TMPDIR,WORK,g" >"$CALLS"
while [ $# -gt 0 ]; do [ "$1" != --token-file ] || cat "$2" >>"$CALLS"; shift; done
`;
/** The list of sums that is served. */
export const SUMS = `${sha256("other")}  outrigger-linux-arm64\n${
  sha256(PROGRAM)
}  outrigger-linux-x64\n`;

/** The programs that download, of those that are here. */
export const DOWNLOADERS: string[] = [];
for (const program of ["curl", "wget", "busybox"]) {
  if (await isThere(program)) DOWNLOADERS.push(program);
}
/** What the script calls, and no more: what else is here must not matter. */
const TOOLS = (
  "cat chmod cp cut dirname getconf grep head id ls mkdir mktemp mv rm sed sh sha256sum sleep sync tail uname"
).split(" ");

/** The SHA-256 of a text or of octets, in hexadecimal digits. */
export function sha256(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

/** Whether a program is here. */
export async function isThere(program: string): Promise<boolean> {
  const found = new Deno.Command("sh", {
    args: ["-c", 'command -v "$0"', program],
    stdout: "null",
  });
  return (await found.output()).success;
}

/** A server, a folder of programs and a prefix to install into. */
export class InstallScene implements AsyncDisposable {
  /** What is downloaded, by path; undefined is not there. */
  readonly files = new Map<string, string | Uint8Array<ArrayBuffer> | undefined>();
  /** The requests: path and headers. */
  readonly seen: string[] = [];
  readonly #directory: TemporaryDirectory;
  readonly #server: Deno.HttpServer<Deno.NetAddr>;
  /** Of the authority that the server shows. */
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

  /** Where it serves. */
  readonly url: string;

  /** @param options `tls`: by HTTPS, with a certificate of this authority or of another */
  static async make({ tls }: { tls?: "own" | "foreign" | "expired" } = {}): Promise<InstallScene> {
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
    return new InstallScene(directory, own.rootCertificate, pair);
  }

  /** Runs the script with a PATH of links to what it may use, and of scripts in their place (`stubs`). */
  async run(
    args: readonly string[],
    { shell = ["sh"], downloader = DOWNLOADERS[0], stdin, stubs = {}, script = SCRIPT }: {
      shell?: readonly string[];
      downloader?: string;
      stdin?: string;
      stubs?: Record<string, string>;
      script?: string;
    } = {},
  ): Promise<{ code: number; output: string; calls: string; program: string; tree: string[] }> {
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
      program: await Deno.readTextFile(join(prefix, "bin/outrigger")).catch(() => ""),
      tree: [...await treeOf(prefix), ...await treeOf(join(folder, "tmp"))],
    };
  }

  /** Ends the server. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server.shutdown();
    await this.#directory[Symbol.asyncDispose]();
  }
}

const UNAME = 'case $1 in -s) echo Linux ;; *) echo "${MACHINE:-x86_64}" ;; esac';

/** Where a program is. */
export async function pathOf(program: string): Promise<string> {
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

/** A text that was cut or changed, at several octets. */
export function faultsOf(text: string): string[] {
  const { length } = text;
  const places = [0, 1, length >> 2, length >> 1, length - 2, length - 1];
  return [
    ...places.flatMap((at) => [text.slice(0, at), `${text.slice(0, at)}~${text.slice(at + 1)}`]),
    `${text}\n`,
  ];
}
