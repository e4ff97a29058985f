/**
 * The embedded control plane as a process of its own, on loopback: the compiled binary, which hands out
 * itself.
 *
 * @module
 */
import { join, resolve } from "node:path";
import { Child, freePorts, runToEnd } from "../support/child_process.ts";
import { markedCommands } from "../support/readme_commands.ts";

/** The README's command for a token. */
export const [, CREATE_TOKEN] = markedCommands("join");
const MESH = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "productpage", namespace: "ns1" },
  spec: { clusterIP: "10.96.1.1", ports: [{ port: 9080 }] },
};

/** One control plane. */
export class PlaneProcess implements AsyncDisposable {
  /** Of its page, by the name that it was given. */
  readonly url: string;
  /** Where agents connect. */
  readonly grpcAddress: string;
  /** PEM file of its authority. */
  readonly rootCert: string;
  readonly #child: Child;
  readonly #folder: string;
  readonly #httpsPort: number;

  private constructor(
    child: Child,
    { folder, host, ports: [grpc, https] }: { folder: string; host: string; ports: number[] },
  ) {
    this.#child = child;
    this.#folder = folder;
    this.url = `https://${host}:${https}`;
    this.#httpsPort = https;
    this.grpcAddress = `127.0.0.1:${grpc}`;
    this.rootCert = join(folder, "state/root-cert.pem");
  }

  /** Starts one, and waits until it serves. */
  static async start({ folder, host }: { folder: string; host: string }): Promise<PlaneProcess> {
    await Deno.mkdir(join(folder, "mesh"));
    await Deno.writeTextFile(join(folder, "mesh/mesh.yaml"), JSON.stringify(MESH));
    const ports = await freePorts(2);
    const logPath = join(folder, "plane.log");
    const child = new Child(binary(), {
      args: [
        ...["control-plane", "--config-dir", "mesh", "--state-dir", "state", "--host", host],
        ...["--grpc-listen", `127.0.0.1:${ports[0]}`, "--https-listen", `127.0.0.1:${ports[1]}`],
      ],
      cwd: folder,
      logPath,
    });
    try {
      await child.until(
        async () => (await Deno.readTextFile(logPath)).includes("Serving agents") || undefined,
        "the control plane serves",
      );
    } catch (error) {
      await child.end("SIGKILL");
      throw error;
    }
    return new PlaneProcess(child, { folder, host, ports });
  }

  /** Fetches what it serves, without a browser. */
  async get(path: string): Promise<{ status: number; text: string }> {
    using client = Deno.createHttpClient({ caCerts: [await Deno.readTextFile(this.rootCert)] });
    const response = await fetch(`https://127.0.0.1:${this.#httpsPort}${path}`, { client });
    return { status: response.status, text: await response.text() };
  }

  /** A token to join with. */
  createToken(): Promise<string> {
    return this.#run(`${CREATE_TOKEN} --token-only`);
  }

  /** A line to join by. */
  line(): Promise<string> {
    return this.#run(CREATE_TOKEN);
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.end();
  }

  #run(command: string): Promise<string> {
    const [, ...args] = command.split(" ");
    return runToEnd(binary(), [...args, "--state-dir", "state"], { cwd: this.#folder });
  }
}

function binary(): string {
  return resolve(Deno.env.get("BINARY_UNDER_TEST") || "dist/outrigger");
}
