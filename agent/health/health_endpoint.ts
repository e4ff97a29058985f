/**
 * Where health is served: at the address of the configuration in force, and moved with it.
 *
 * @module
 */
import { parseSocketAddress, type SocketAddress } from "../system/socket_address.ts";
import { HealthServer, type HealthSources } from "./health_server.ts";

/** The health endpoint over reloads. */
export class HealthEndpoint {
  readonly #sources: HealthSources;
  #server: HealthServer | undefined;
  #listen: string | undefined;

  /** Knows what to tell; {@link replace} opens it. */
  constructor(sources: HealthSources) {
    this.#sources = sources;
  }

  /** Where it is served; undefined before the start. */
  get local(): SocketAddress | undefined {
    return this.#server?.local;
  }

  /**
   * Serves at `listen` and no longer where it did, once `others` have been replaced too. Where one of both
   * fails, nothing has changed.
   *
   * @throws {HealthListenError} or what `others` throws
   */
  async replace(listen: string, others: () => Promise<void>): Promise<void> {
    if (listen === this.#listen) return await others();
    const opened = new HealthServer(parseSocketAddress(listen)!, this.#sources);
    try {
      await others();
    } catch (error) {
      await opened.close();
      throw error;
    }
    void this.#server?.close();
    this.#server = opened;
    this.#listen = listen;
  }

  /** Ends. */
  async close(): Promise<void> {
    await this.#server?.close();
  }
}
