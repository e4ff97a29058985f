/**
 * The control-plane client that the configuration asks for: at most one runs, and another takes its
 * place where what it is made from has changed.
 *
 * @module
 */
import { controlPlaneSettings } from "./agent_settings.ts";
import type { Config } from "./config/config.ts";
import { MeshClient, type MeshClientOptions } from "./mesh/mesh_client.ts";

/** What every client of a {@link MeshConnection} is made of, whatever the configuration. */
export type MeshConnectionOptions =
  & Omit<MeshClientOptions, "node" | "controlPlane" | "stateDir">
  & {
    /** Who this node is now, under a configuration. */
    node(config: Config): ReturnType<MeshClientOptions["node"]>;
  };

/** Starts and stops control-plane clients. */
export class MeshConnection {
  readonly #options: MeshConnectionOptions;
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
  }

  /** Starts a client, with what it has on disk, where one is configured and none runs. */
  async start(config: Config): Promise<void> {
    const controlPlane = controlPlaneSettings(config);
    if (this.#running !== undefined || controlPlane === undefined) return;
    const client = new MeshClient({
      ...this.#options,
      node: () => this.#options.node(config),
      controlPlane,
      stateDir: config.stateDir,
    });
    await client.restore();
    const stop = new AbortController();
    this.#running = {
      client,
      madeFrom: madeFrom(config),
      stop,
      ended: client.run(stop.signal),
    };
  }
}

/** All of a configuration that a client depends on. */
function madeFrom(config: Config): string {
  const { stateDir, node, dns: { clusterDomain } } = config;
  return JSON.stringify([controlPlaneSettings(config), stateDir, node, clusterDomain]);
}
