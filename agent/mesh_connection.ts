/**
 * The control-plane client that the configuration asks for: at most one runs, and another takes its
 * place where what it is made from has changed.
 *
 * @module
 */
import { controlPlaneSettings } from "./agent_settings.ts";
import type { Config } from "./config/config.ts";
import type { MeshClient, MeshClientOptions } from "./mesh/mesh_client.ts";
import { SavedTable } from "./mesh/saved_table.ts";

/** What every client of a {@link MeshConnection} is made of, whatever the configuration. */
export type MeshConnectionOptions =
  & Omit<MeshClientOptions, "node" | "controlPlane" | "stateDir" | "saved">
  & {
    /** Who this node is now, under a configuration. */
    node(config: Config): ReturnType<MeshClientOptions["node"]>;
  };

/** Starts and stops control-plane clients. */
export class MeshConnection {
  readonly #options: MeshConnectionOptions;
  #saved: SavedTable | undefined;
  #running:
    | { client: MeshClient; madeFrom: string; stop: AbortController; ended: Promise<void> }
    | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(options: MeshConnectionOptions) {
    this.#options = options;
  }

  /** The client that runs; undefined without a control plane. */
  get client(): MeshClient | undefined {
    return this.#running?.client;
  }

  /** Ends the client, and what it has under way, unless `config` asks for the same one. */
  async stop(config?: Config): Promise<void> {
    if (config !== undefined && this.#running?.madeFrom === madeFrom(config)) return;
    this.#running?.stop.abort();
    await this.#running?.ended;
    this.#running = undefined;
    this.#saved = undefined;
  }

  /** Puts the last good table in force, where a control plane is configured and no client runs. */
  async restore(config: Config): Promise<void> {
    if (this.#saved !== undefined || controlPlaneSettings(config) === undefined) return;
    this.#saved = new SavedTable({ ...this.#options, stateDir: config.stateDir });
    await this.#saved.restore(this.#options.onTable);
  }

  /** Starts a client after {@link restore}, where one is configured and none runs. */
  async connect(config: Config): Promise<void> {
    const saved = this.#saved;
    const controlPlane = controlPlaneSettings(config);
    if (this.#running !== undefined || saved === undefined || controlPlane === undefined) return;
    // Only now: reading gRPC and protobuf takes 40 ms, which no answer has to wait for.
    const { MeshClient } = await import("./mesh/mesh_client.ts");
    // Another configuration may have come meanwhile, which connects by itself.
    if (this.#running !== undefined || this.#saved !== saved) return;
    const client = new MeshClient({
      ...this.#options,
      node: () => this.#options.node(config),
      controlPlane,
      stateDir: config.stateDir,
      saved,
    });
    const stop = new AbortController();
    const restored = client.restore();
    this.#running = {
      client,
      madeFrom: madeFrom(config),
      stop,
      ended: restored.then(() => client.run(stop.signal)),
    };
    await restored;
  }
}

/** All of a configuration that a client depends on. */
function madeFrom(config: Config): string {
  const { stateDir, node, dns: { clusterDomain } } = config;
  return JSON.stringify([controlPlaneSettings(config), stateDir, node, clusterDomain]);
}
