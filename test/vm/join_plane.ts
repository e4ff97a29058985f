/**
 * A control plane beyond a VM's link, and nothing else: there is no internet. It is run by the commands of
 * the README as they are written there, with `outrigger` on the PATH and a /var/lib of its own.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import { markedCommands } from "../support/readme_commands.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { binaryUnderTest } from "./vm_agent.ts";
import type { VmNetwork } from "./vm_network.ts";
import { meshNames } from "./vm_scene.ts";

/** Its address, and the README's name for it. */
export const CONTROL_PLANE = { address: "192.0.2.53", name: "cp.example.org" };
const [RUN, CREATE_TOKEN] = markedCommands("join");
/** Gives a command the folder $0 for its /var/lib: nothing of the machine's own is touched. */
const WITH_VAR_LIB = 'mount --bind "$0" /var/lib && exec "$@"';

/** One control plane. */
export class JoinPlane implements AsyncDisposable {
  readonly #binary: string;
  readonly #directory: TemporaryDirectory;
  readonly #network: VmNetwork;
  #child: Child | undefined;

  private constructor(binary: string, directory: TemporaryDirectory, network: VmNetwork) {
    this.#binary = binary;
    this.#directory = directory;
    this.#network = network;
  }

  /** Makes one, with a mesh; {@link listen} starts it. */
  static async make(network: VmNetwork): Promise<JoinPlane> {
    const directory = await TemporaryDirectory.make();
    const { path } = directory;
    await directory.write("mesh/mesh.yaml", meshNames());
    for (const folder of ["bin", "lib", "programs"]) await Deno.mkdir(join(path, folder));
    const binary = await binaryUnderTest();
    await Deno.symlink(resolve(binary), join(path, "bin/outrigger"));
    return new JoinPlane(binary, directory, network);
  }

  /** The folder that `--binaries` names. */
  get programs(): string {
    return join(this.#directory.path, "programs");
  }

  /** The program in there. */
  get program(): string {
    return join(
      this.programs,
      `outrigger-linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`,
    );
  }

  get #log(): string {
    return join(this.#directory.path, "log");
  }

  /** Runs the README's first command. @param more flags behind it */
  async listen(...more: string[]): Promise<void> {
    await this.#run(["sh", "-c", ["exec", RUN, ...more].join(" ")], "Serving agents");
  }

  /** The same, with a certificate that has expired. @returns the line to join by */
  async listenExpired(): Promise<string> {
    const { path } = this.#directory;
    const script = resolve(import.meta.dirname!, "old_control_plane.ts");
    await this.#run([
      ...[Deno.execPath(), "run", "-A", "--quiet", script],
      ...[`${path}/mesh`, `${path}/old`, this.programs, CONTROL_PLANE.address],
    ], "token-stdin");
    const lines = (await Deno.readTextFile(this.#log)).split("\n");
    return lines.findLast((line) => line.includes("token-stdin"))!;
  }

  async #run(command: readonly string[], sign: string): Promise<void> {
    const [program, ...args] = this.#there(command);
    await Deno.writeTextFile(this.#log, "");
    this.#child = new Child(program, { args, logPath: this.#log, ...this.#place });
    await this.#child.until(
      async () => (await Deno.readTextFile(this.#log)).includes(sign) || undefined,
      "the control plane serves",
    );
  }

  /** Ends it in an orderly way. */
  async stop(): Promise<void> {
    await this.#child?.end();
  }

  /** Has it begin anew, with an authority of its own, at its next start. */
  async forget(): Promise<void> {
    await Deno.remove(join(this.#directory.path, "lib/outrigger-control-plane"), {
      recursive: true,
    });
  }

  /** What the README's second command prints. @param more flags behind it */
  async line(...more: string[]): Promise<string> {
    const [program, ...args] = this.#there(["sh", "-c", [CREATE_TOKEN, ...more].join(" ")]);
    return await runToEnd(program, args, this.#place);
  }

  /** Puts the program there as it was built, and packed. */
  async restore(): Promise<void> {
    await Deno.copyFile(this.#binary, this.program);
    await runToEnd("xz", ["--keep", "--force", "--threads=0", "-1", this.program]);
  }

  /** Changes one octet of both in the middle. */
  async damage(): Promise<void> {
    for (const path of [this.program, `${this.program}.xz`]) {
      const bytes = await Deno.readFile(path);
      bytes[bytes.length >> 1] ^= 1;
      await Deno.writeFile(path, bytes);
    }
  }

  /** Ends it, and removes what it wrote. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#directory[Symbol.asyncDispose]();
  }

  get #place(): { cwd: string; env: Record<string, string> } {
    const { path } = this.#directory;
    return { cwd: path, env: { TMPDIR: path, PATH: `${path}/bin:${Deno.env.get("PATH")}` } };
  }

  #there(command: readonly string[]): string[] {
    const lib = join(this.#directory.path, "lib");
    return [
      ...[...this.#network.beyond, "unshare", "--mount", "sh", "-c", WITH_VAR_LIB, lib],
      ...command,
    ];
  }
}
