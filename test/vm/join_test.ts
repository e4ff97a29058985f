import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";
import { debianImage } from "./debian_image.ts";
import { report } from "./report.ts";
import { type CommandResult, VirtualMachine } from "./virtual_machine.ts";
import { binaryUnderTest } from "./vm_agent.ts";
import { differences, filesOf } from "./vm_files.ts";
import { getent } from "./vm_lookups.ts";
import { VmNetwork } from "./vm_network.ts";
import { meshNames } from "./vm_scene.ts";

const MESH = "productpage.ns1.svc.cluster.local";
const CONTROL_PLANE = "192.0.2.53";
const LINKS = [{ name: "eth0", addresses: ["192.0.2.2/24"], beyond: [`${CONTROL_PLANE}/24`] }];
const JOURNAL = "/var/lib/outrigger-install/journal.json:";
const TOKEN_CREATE = ["control-plane", "token", "create", "--namespace", "ns1"];

/** A control plane beyond the VM's link, and nothing else: there is no internet. */
class Plane implements AsyncDisposable {
  readonly #binary: string;
  readonly #directory: TemporaryDirectory;
  readonly #network: VmNetwork;
  #child: Child | undefined;

  private constructor(binary: string, directory: TemporaryDirectory, network: VmNetwork) {
    this.#binary = binary;
    this.#directory = directory;
    this.#network = network;
  }

  static async start(network: VmNetwork): Promise<Plane> {
    const directory = await TemporaryDirectory.make();
    await directory.write("mesh/mesh.yaml", meshNames());
    const plane = new Plane(await binaryUnderTest(), directory, network);
    await Deno.mkdir(plane.programs);
    await plane.restore();
    await plane.listen();
    return plane;
  }

  get programs(): string {
    return join(this.#directory.path, "programs");
  }

  get #program(): string {
    return join(
      this.programs,
      `outrigger-linux-${Deno.build.arch === "aarch64" ? "arm64" : "x64"}`,
    );
  }

  /** The log of what it serves. */
  get log(): string {
    return join(this.#directory.path, "log");
  }

  async listen(): Promise<void> {
    const { path } = this.#directory;
    await this.#run(this.#binary, [
      ...["control-plane", "--config-dir", `${path}/mesh`, "--state-dir", `${path}/state`],
      ...["--grpc-listen", `${CONTROL_PLANE}:15012`, "--https-listen", `${CONTROL_PLANE}:15443`],
      ...["--http-listen", `${CONTROL_PLANE}:15080`, "--binaries", this.programs],
    ], "Serving agents");
  }

  /** The same, with a certificate that has expired. @returns the line to join by */
  async listenExpired(): Promise<string> {
    const { path } = this.#directory;
    const script = resolve(import.meta.dirname!, "old_control_plane.ts");
    await this.#run(Deno.execPath(), [
      ...["run", "-A", "--quiet", script, `${path}/mesh`, `${path}/old`, this.programs],
      CONTROL_PLANE,
    ], "token-stdin");
    const lines = (await Deno.readTextFile(this.log)).split("\n");
    return lines.findLast((line) => line.includes("token-stdin"))!;
  }

  async #run(program: string, args: string[], sign: string): Promise<void> {
    const [enter, ...rest] = this.#network.beyond;
    await Deno.writeTextFile(this.log, "");
    this.#child = new Child(enter, {
      args: [...rest, program, ...args],
      cwd: this.#directory.path,
      logPath: this.log,
      env: { TMPDIR: this.#directory.path },
    });
    await this.#child.until(
      async () => (await Deno.readTextFile(this.log)).includes(sign) || undefined,
      "the control plane serves",
    );
  }

  async stop(): Promise<void> {
    await this.#child?.end();
  }

  /** What `token create` prints. */
  async line(...more: string[]): Promise<string> {
    const state = ["--state-dir", `${this.#directory.path}/state`];
    return await runToEnd(
      this.#binary,
      [...TOKEN_CREATE, "--service-account", "vm-sa", ...state, ...more],
      { env: { TMPDIR: this.#directory.path } },
    );
  }

  /** Changes one octet of the program in its middle. */
  async damage(): Promise<void> {
    const bytes = await Deno.readFile(this.#program);
    bytes[bytes.length >> 1] ^= 1;
    await Deno.writeFile(this.#program, bytes);
  }

  /** The program as it was built. */
  async restore(): Promise<void> {
    await Deno.copyFile(this.#binary, this.#program);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.#directory[Symbol.asyncDispose]();
  }
}

/** Pastes a line into a root shell of the VM. */
function paste(vm: VirtualMachine, line: string): Promise<CommandResult> {
  return vm.attempt(["sh", "-c", line]);
}

for (
  const { title, extra, prepare } of [
    { title: "with curl", extra: ["curl"], prepare: [] },
    {
      title: "with busybox's wget alone",
      extra: ["busybox"],
      prepare: ["ln", "-s", "/bin/busybox", "/usr/local/bin/wget"],
    },
  ]
) {
  Deno.test(`one line joins a clean Debian 12 ${title}, or leaves it as it is`, async (t) => {
    await using network = await VmNetwork.create(LINKS);
    await using plane = await Plane.start(network);
    await using vm = await VirtualMachine.boot({
      image: await debianImage("bookworm", { extra }),
      network,
    });
    if (prepare.length > 0) await vm.run(prepare);
    // The first command of a unit makes things of systemd's own.
    await paste(vm, "true");
    const before = await filesOf(vm);
    const refused = async (line: string, message: RegExp) => {
      const { code, stdout, stderr } = await paste(vm, line);
      assert.notEqual(code, 0, stdout);
      assert.match(stdout + stderr, message);
      assert.deepEqual(differences(before, await filesOf(vm)), []);
      assert.deepEqual(await getent(vm, MESH), []);
    };
    const line = await plane.line();

    await t.step("a wrong fingerprint of the script", () =>
      refused(
        line.replace(/[0-9a-f]{64}(?= {2}\$f)/, "0".repeat(64)),
        /install\.sh is not the one that this line is for: nothing was run/,
      ));

    await t.step("a wrong fingerprint of the authority", () =>
      refused(
        line.replace(/(?<=--ca-sha256 )[0-9a-f]{64}/, "0".repeat(64)),
        /the certificate authority .* is not what it should be.*nothing was changed/s,
      ));

    await t.step("a changed octet of the program", async () => {
      await plane.damage();
      await refused(line, /outrigger-linux-\w+ is not what it should be.*nothing was changed/s);
      await plane.restore();
    });

    await t.step("an expired token", async () => {
      const expired = await plane.line("--ttl", "1s");
      await new Promise((resolve) => setTimeout(resolve, 1_100));
      await refused(expired, /refuses the token: the token expired at .*Nothing was changed/);
    });

    await t.step("an expired certificate", async () => {
      await plane.stop();
      try {
        const expired = await plane.listenExpired();
        await refused(expired, /could not prove itself.*expired.*othing was changed/is);
      } finally {
        await plane.stop();
        await plane.listen();
      }
    });

    await t.step("from the line to the first answer in less than 10 s", async () => {
      const startedMs = performance.now();
      const { code, stdout, stderr } = await paste(vm, line);
      assert.equal(code, 0, stdout + stderr);
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
      const tookMs = performance.now() - startedMs;
      report(`joined, ${title}`, tookMs);
      assert.ok(tookMs < 10_000, `${Math.round(tookMs)} ms`);
      const status = JSON.parse((await vm.attempt(["outrigger", "status", "--json"])).stdout);
      assert.equal(
        status.controlPlane.certificate.identity,
        "spiffe://cluster.local/ns/ns1/sa/vm-sa",
      );
    });

    await t.step("the same line again changes nothing: this machine has joined", async () => {
      const joined = await filesOf(vm);
      const { code, stdout, stderr } = await paste(vm, line);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /Nothing to change/);
      const changed = differences(joined, await filesOf(vm));
      // The journal says where the program was copied from.
      assert.deepEqual(changed.filter((line) => !line.startsWith(JOURNAL)), []);
    });

    await t.step("given back, the machine is as it was, and the token is spent", async () => {
      await vm.run(["outrigger", "uninstall", "--purge"]);
      await refused(line, /refuses the token: the token is spent: it is good for one machine/);
    });

    await t.step("a token of two uses is good for this machine and another", async () => {
      const { code, stdout, stderr } = await paste(vm, await plane.line("--uses", "2"));
      assert.equal(code, 0, stdout + stderr);
      assert.deepEqual(await getent(vm, MESH), ["10.96.1.1"]);
    });
  });
}
