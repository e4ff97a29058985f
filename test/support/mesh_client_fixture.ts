/**
 * A control-plane client with its folder and a scripted control plane, on a clock that tests move.
 *
 * @module
 */
import {
  type ControlPlaneSettings,
  MeshClient,
  type MeshClientOptions,
} from "../../agent/mesh/mesh_client.ts";
import type { MeshNode } from "../../agent/mesh/node_identity.ts";
import { type NameTablePush, SavedTable } from "../../agent/mesh/saved_table.ts";
import type { HostEntry } from "../../agent/names/host_entry.ts";
import { decodeNameTable } from "../../agent/names/name_table_message.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { silentLog } from "../../agent/system/log.ts";
import { FakeControlPlane } from "./fake_control_plane.ts";
import { serviceEntry } from "./host_entries.ts";
import { FixedRandom } from "./fixed_random.ts";
import { ManualClock } from "./manual_clock.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";
import { until } from "./until.ts";

/** One client with its folder, on a clock that starts now, since TLS goes by the real one. */
export class MeshClientFixture implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly directory: TemporaryDirectory;
  readonly plane: FakeControlPlane;
  readonly pushes: (NameTablePush & { entries: HostEntry[] })[] = [];
  client!: MeshClient;
  #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  verdict: (push: NameTablePush) => boolean = () => true;

  constructor(clock: ManualClock, directory: TemporaryDirectory, plane: FakeControlPlane) {
    this.clock = clock;
    this.directory = directory;
    this.plane = plane;
  }

  static async make(): Promise<MeshClientFixture> {
    const clock = new ManualClock(new Date().toISOString());
    const directory = await TemporaryDirectory.make();
    const plane = await FakeControlPlane.start(clock);
    plane.response = () => FakeControlPlane.table([serviceEntry("a.ns1", ["10.0.0.1"])]);
    await directory.write("root.pem", plane.authority.rootCertificate);
    await directory.write("token", "good-token\n");
    return new MeshClientFixture(clock, directory, plane);
  }

  /** Where the client finds the control plane. */
  get controlPlane(): ControlPlaneSettings {
    const { path } = this.directory;
    return {
      addresses: [this.plane.address],
      serverName: "istiod.istio-system.svc",
      rootCertPath: `${path}/root.pem`,
      tokenPath: `${path}/token`,
      certificateLifeMs: 24 * 3_600_000,
    };
  }

  /** Who the client says it is; may be changed while it runs. */
  node: MeshNode = {
    name: "vm-1",
    namespace: "vm",
    serviceAccount: "vm-sa",
    cluster: "Kubernetes",
    network: "",
    trustDomain: "cluster.local",
    clusterDomain: "cluster.local",
    addresses: ["192.0.2.10", "2001:db8::10"],
    wantsAutoAllocated: true,
    labels: { app: "db" },
    meshId: "",
    revision: "default",
    register: false,
  };

  async start(overrides: Partial<MeshClientOptions> = {}): Promise<void> {
    this.#stop = new AbortController();
    const stateDir = `${this.directory.path}/state`;
    const options: MeshClientOptions = {
      clock: this.clock,
      random: new FixedRandom(0.5),
      files: systemFiles,
      log: silentLog,
      node: () => this.node,
      controlPlane: this.controlPlane,
      stateDir,
      saved: new SavedTable({ stateDir, files: systemFiles, clock: this.clock, ...overrides }),
      resolveHost: () => Promise.resolve([]),
      onTable: (push) => {
        const refused = { accepted: false, reason: "not usable" } as const;
        try {
          if (!this.verdict(push)) return Promise.resolve(refused);
          this.pushes.push({ ...push, entries: [...decodeNameTable(push.bytes)] });
        } catch {
          return Promise.resolve(refused);
        }
        return Promise.resolve({ accepted: true });
      },
      ...overrides,
    };
    this.client = new MeshClient(options);
    await options.saved.restore(options.onTable);
    await this.client.restore();
    this.#ended = this.client.run(this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort(new Error("the test stops it"));
    await this.#ended;
  }

  /** Waits for a condition, letting the manual clock's small delays pass. */
  async until(
    condition: () => boolean | Promise<boolean>,
    what: string,
    stepMs = 50,
  ): Promise<void> {
    await until(
      async () => {
        if (await condition()) return true;
        await this.clock.advance(stepMs);
        return false;
      },
      what,
      10_000,
    );
  }

  get certificate() {
    return this.client.status().controlPlane.certificate;
  }

  get problems(): string[] {
    return this.client.status().problems.map(({ code }) => code);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.plane[Symbol.asyncDispose]();
    await this.directory[Symbol.asyncDispose]();
  }
}

/** A test with a fixture of its own; grpc-js keeps timers and sockets for a moment after a channel is closed. */
export function testMeshClient(
  title: string,
  body: (fixture: MeshClientFixture) => Promise<void>,
): void {
  Deno.test({
    name: `MeshClient ${title}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using fixture = await MeshClientFixture.make();
      await body(fixture);
    },
  });
}
