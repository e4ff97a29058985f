import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import { Child, runToEnd } from "../support/child_process.ts";
import { markedCommands } from "../support/readme_commands.ts";
import { TemporaryDirectory } from "../support/temporary_directory.ts";

/** What the README says that the binary takes the place of. */
const FROM_SOURCE = "npx -y deno@2.9.4 task outrigger";
const NAMES = {
  apiVersion: "v1",
  kind: "List",
  items: [{
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "productpage", namespace: "ns1" },
    spec: { clusterIP: "10.96.1.1", ports: [{ port: 9080 }] },
  }],
};
const ANSWER = /^productpage\.ns1\.svc\.cluster\.local\. 30\sIN\sA\s10\.96\.1\.1$/m;
const commands = (mark: string) =>
  markedCommands(mark).map((command) => command.replace(FROM_SOURCE, "outrigger"));

/** A folder, and a network of its own in which loopback is all there is: the README's ports are free there. */
class Workplace implements AsyncDisposable {
  readonly folder: string;
  readonly #directory: TemporaryDirectory;
  readonly #holder: Child;

  private constructor(directory: TemporaryDirectory, holder: Child) {
    this.#directory = directory;
    this.folder = directory.path;
    this.#holder = holder;
  }

  static async make(): Promise<Workplace> {
    const directory = await TemporaryDirectory.make();
    const { path } = directory;
    const binary = Deno.env.get("BINARY_UNDER_TEST") || "dist/outrigger";
    await Deno.mkdir(join(path, "bin"));
    await Deno.symlink(resolve(binary), join(path, "bin/outrigger"));
    // The README's name for a control plane.
    await directory.write("hosts", "127.0.0.1 localhost istiod.example.org\n");
    const script = "mount --bind hosts /etc/hosts && ip link set lo up && touch made && " +
      "exec sleep infinity";
    const holder = new Child("unshare", {
      args: ["--net", "--mount", "sh", "-c", script],
      cwd: path,
      logPath: join(path, "holder.log"),
    });
    await holder.until(() => Deno.stat(join(path, "made")), "there is a network");
    return new Workplace(directory, holder);
  }

  /** Starts a command that goes on until it is ended. */
  start(command: string): Child {
    const [program, ...args] = this.#enter(`exec ${command}`);
    const logPath = join(this.folder, "log");
    return new Child(program, { args, logPath, ...this.#place });
  }

  /** Runs a command to its end. */
  async run(command: string): Promise<string> {
    const [program, ...args] = this.#enter(command);
    return await runToEnd(program, args, this.#place);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#holder.end("SIGKILL");
    await this.#directory[Symbol.asyncDispose]();
  }

  get #place() {
    const PATH = `${this.folder}/bin:${Deno.env.get("PATH")}`;
    return { cwd: this.folder, env: { PATH, TMPDIR: this.folder } };
  }

  #enter(command: string): string[] {
    const { pid } = this.#holder;
    return [
      ...["nsenter", `--net=/proc/${pid}/ns/net`, `--mount=/proc/${pid}/ns/mnt`],
      ...[`--wd=${this.folder}`, "sh", "-c", command],
    ];
  }
}

Deno.test("the README's ways to run it work as they are written", async (t) => {
  await using place = await Workplace.make();
  const { folder } = place;
  const [runNames, dig] = commands("names");
  const isAnswered = async () => ANSWER.test(await place.run(dig)) || undefined;

  await t.step("with names from files", async () => {
    await Deno.writeTextFile(join(folder, "mesh.yaml"), JSON.stringify(NAMES));
    await using agent = place.start(runNames);
    await agent.until(isAnswered, dig, 20_000);
  });

  await t.step("with the embedded control plane", async () => {
    await Deno.mkdir(join(folder, "mesh"));
    await Deno.rename(join(folder, "mesh.yaml"), join(folder, "mesh/mesh.yaml"));
    const [plane, createToken] = commands("control-plane");
    await using control = place.start(plane);
    const root = await control.until(
      async () =>
        /rootCert[=":\s]+([^\s"]+)/.exec(await Deno.readTextFile(join(folder, "log")))?.[1],
      "it prints where its root certificate is",
    );
    await Deno.copyFile(resolve(folder, root), join(folder, "root-cert.pem"));
    await Deno.writeTextFile(join(folder, "istio-token"), await place.run(createToken));
    const [run] = commands("run");
    await using agent = place.start(run);
    await agent.until(isAnswered, dig, 20_000);
    const status = JSON.parse(await place.run("outrigger status --json || :"));
    assert.equal(status.names.origin, "control-plane");
    const { identity } = status.controlPlane.certificate;
    assert.equal(identity, "spiffe://cluster.local/ns/default/sa/default");
  });
});
