/**
 * The embedded control plane: istiod's protocol from a folder of objects. The one place where its parts
 * are put together.
 *
 * @module
 */
import { logVerbosity, Server, setLogVerbosity } from "@grpc/grpc-js";
import { join } from "node:path";
import { CREATE_CERTIFICATE, STREAM_AGGREGATED_RESOURCES } from "../agent/mesh/protocol.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import type { Clock } from "../agent/system/clock.ts";
import type { Files } from "../agent/system/files.ts";
import { type HttpServer, serveHttp, serveHttps } from "../agent/system/http.ts";
import type { Logger } from "../agent/system/log.ts";
import type { Random } from "../agent/system/random.ts";
import { formatSocketAddress, type SocketAddress } from "../agent/system/socket_address.ts";
import { serverCredentials } from "./caller_identity.ts";
import { CertificateAuthority, type KeyPair } from "./certificate_authority.ts";
import { createCertificateHandler } from "./certificate_service.ts";
import { ConfigDir } from "./config_dir.ts";
import { DiscoveryService } from "./discovery_service.ts";
import { GrpcListenError, HttpsListenError, StateFileError } from "./errors.ts";
import { saveJoinPoint } from "./join_point.ts";
import { type Binary, JoinServer } from "./join_server.ts";
import { JoinTokens } from "./join_tokens.ts";
import { MeshState, vipDemand } from "./mesh_state.ts";
import { VipAllocator, type VipPair } from "./vip_allocator.ts";

/** What a {@link ControlPlane} is made of. */
export interface ControlPlaneOptions {
  /** Time. */
  clock: Clock;
  /** Keys' serial numbers and tokens. */
  random: Random;
  /** The disk. */
  files: Files;
  /** Where it reports. */
  log: Logger;
  /** Folder of objects. */
  configDir: string;
  /** Folder of the root, the tokens and the VIPs; made where there is none. */
  stateDir: string;
  /** Where agents connect. */
  grpcListen: SocketAddress;
  /** E.g. `cluster.local`. */
  trustDomain: string;
  /** E.g. `cluster.local`. */
  clusterDomain: string;
  /** Further DNS names and IP literals of its certificate. */
  serverNames?: readonly string[];
  /** What machines join with; not served unless given. */
  join?: JoinOptions;
}

/** How a control plane lets machines join. */
export interface JoinOptions {
  /** Where it serves HTTPS. */
  listen: SocketAddress;
  /** Where it serves the same by HTTP; not at all unless given. */
  plainListen?: SocketAddress;
  /** Name or address by which machines reach it. */
  host: string;
  /** The programs that it hands out. */
  binaries: readonly Binary[];
}

/** Names that its certificate always has: istiod's own, so that agents need no other configuration. */
const SERVER_NAMES = ["istiod.istio-system.svc", "localhost", "127.0.0.1", "::1"];
const VIPS_FILE = "vips.json";
const ROOT_CERT_FILE = "root-cert.pem";

/** One control plane. */
export class ControlPlane {
  readonly #options: ControlPlaneOptions;
  readonly #tokens: JoinTokens;
  readonly #vips = new VipAllocator();
  readonly #configDir: ConfigDir;
  readonly #stop = new AbortController();
  #discovery: DiscoveryService | undefined;
  #server: Server | undefined;
  #https: HttpServer | undefined;
  #plain: HttpServer | undefined;
  #vipsUnsaved = false;
  #port = 0;
  #versions = 0;
  #publishing: Promise<void> = Promise.resolve();

  /** Wires the parts; {@link start} lets them act. */
  constructor(options: ControlPlaneOptions) {
    this.#options = options;
    this.#tokens = new JoinTokens(options);
    this.#configDir = new ConfigDir({
      ...options,
      path: options.configDir,
      onChange: () => {
        this.#publishing = this.#publishing.then(() => this.#publish());
      },
    });
  }

  /**
   * Starts to serve.
   *
   * @throws {AgentError} when the state or the folder is not usable, or the address cannot be bound
   */
  async start(): Promise<void> {
    const { files, stateDir, trustDomain, grpcListen, log } = this.#options;
    await files.makeDirectory(stateDir, { mode: 0o700 });
    const authority = await CertificateAuthority.open(this.#options);
    await files.writeAtomic(join(stateDir, ROOT_CERT_FILE), authority.rootCertificate, {
      mode: 0o644,
    });
    await this.#restoreVips();
    await this.#configDir.start(this.#stop.signal);
    const tokens = this.#tokens;
    this.#discovery = new DiscoveryService({
      state: await this.#state(),
      trustDomain,
      log,
    });
    const names = new Set([
      ...SERVER_NAMES,
      grpcListen.address,
      ...this.#options.join === undefined ? [] : [this.#options.join.host],
      ...this.#options.serverNames ?? [],
    ]);
    const pair = await authority.makeServerPair([...names]);
    // What goes wrong is thrown or logged, in the control plane's own words.
    setLogVerbosity(logVerbosity.NONE);
    const server = new Server({
      // Half-open connections are noticed within a minute.
      "grpc.keepalive_time_ms": 30_000,
      "grpc.keepalive_timeout_ms": 10_000,
      "grpc.max_send_message_length": -1,
    });
    server.addService({ CreateCertificate: CREATE_CERTIFICATE }, {
      CreateCertificate: createCertificateHandler({ authority, tokens, trustDomain, log }),
    });
    server.addService({ StreamAggregatedResources: STREAM_AGGREGATED_RESOURCES }, {
      StreamAggregatedResources: this.#discovery.handle,
    });
    const address = formatSocketAddress(grpcListen);
    const credentials = serverCredentials(pair, authority.rootCertificate);
    this.#port = await new Promise<number>((resolve, reject) => {
      server.bindAsync(address, credentials, (error, port) => {
        if (error) reject(new GrpcListenError(address, error));
        else resolve(port);
      });
    });
    this.#server = server;
    await this.#serveJoin(authority.rootCertificate, pair);
    log.info("Serving agents", {
      listen: formatSocketAddress(this.grpcAddress),
      configDir: this.#options.configDir,
      rootCert: join(stateDir, ROOT_CERT_FILE),
    });
  }

  /** Where agents connect, with the port that the kernel chose. */
  get grpcAddress(): SocketAddress {
    return { address: this.#options.grpcListen.address, port: this.#port };
  }

  /** Where machines join; undefined where they cannot. */
  get httpsAddress(): SocketAddress | undefined {
    return this.#https?.local;
  }

  /** The file of the root certificate that agents are given. */
  get rootCertificatePath(): string {
    return join(this.#options.stateDir, ROOT_CERT_FILE);
  }

  /** Makes a token to join with. */
  async createToken(
    { namespace, serviceAccount, ttlSeconds, uses }: {
      namespace: string;
      serviceAccount: string;
      ttlSeconds: number;
      uses?: number;
    },
  ): Promise<string> {
    return await this.#tokens.create({ namespace, serviceAccount }, { ttlSeconds, uses });
  }

  /** What is wrong with the objects now, `FILE:LINE: what`. */
  problems(): string[] {
    return this.#configDir.problems();
  }

  /** How many agents listen. */
  get agents(): number {
    return this.#discovery?.subscribers ?? 0;
  }

  /** Stops: closes every stream and the address. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#server?.forceShutdown();
    await this.#https?.close();
    await this.#plain?.close();
    await this.#configDir.settled();
    await this.#publishing;
  }

  async #serveJoin(rootCertificate: string, pair: KeyPair): Promise<void> {
    const { join, stateDir, files, log, trustDomain, clusterDomain } = this.#options;
    if (join === undefined) return;
    const at = (port: number) => formatSocketAddress({ address: join.host, port });
    const reachedAt = () => ({
      url: `https://${at(this.#https!.local.port)}`,
      grpcAddress: at(this.#port),
    });
    const server = new JoinServer({ rootCertificate, binaries: join.binaries, reachedAt });
    const handler = (request: Request) => server.handle(request);
    const { listen, plainListen } = join;
    try {
      this.#https = serveHttps(listen, handler, pair);
    } catch (error) {
      throw new HttpsListenError(formatSocketAddress(listen), { flag: "--https-listen", error });
    }
    try {
      this.#plain = plainListen && serveHttp(plainListen, handler);
    } catch (error) {
      const address = formatSocketAddress(plainListen!);
      throw new HttpsListenError(address, { flag: "--http-listen", error });
    }
    const hasPrograms = join.binaries.length > 0;
    if (!hasPrograms) {
      log.warn("There is no program to hand out: machines cannot join by one line; see --binaries");
    }
    const plainUrl = this.#plain && { plainUrl: `http://${at(this.#plain.local.port)}` };
    const point = {
      ...reachedAt(),
      ...plainUrl,
      trustDomain,
      clusterDomain,
      ...server.fingerprints,
    };
    await saveJoinPoint(stateDir, hasPrograms ? point : undefined, files);
    log.info("Serving machines that join", {
      url: point.url,
      programs: join.binaries.map(({ name }) => name).join(" "),
    });
  }

  async #publish(): Promise<void> {
    try {
      this.#discovery?.replaceState(await this.#state());
    } catch (error) {
      this.#options.log.error("The new objects cannot be served; the last ones stay", {
        reason: messageOf(error),
      });
    }
  }

  async #state(): Promise<MeshState> {
    const clusters = this.#configDir.clusters();
    return new MeshState({
      clusters,
      vips: await this.#assignVips(vipDemand(clusters)),
      clusterDomain: this.#options.clusterDomain,
      version: `${new Date(this.#options.clock.wallMs()).toISOString()}/${++this.#versions}`,
    });
  }

  /** VIPs are on disk before anybody hears of them: a crash must not give one to two hosts. */
  async #assignVips(
    demand: { keys: string[]; taken: Set<string> },
  ): Promise<ReadonlyMap<string, VipPair>> {
    const { pairs, exhausted, changed } = this.#vips.assign(demand.keys, demand);
    if (exhausted.length > 0) {
      this.#options.log.error("No automatic VIPs are left; some hosts get none", {
        hosts: exhausted.length,
        first: exhausted[0],
      });
    }
    this.#vipsUnsaved ||= changed;
    if (this.#vipsUnsaved) {
      const path = join(this.#options.stateDir, VIPS_FILE);
      await this.#options.files.writeAtomic(path, this.#vips.format());
      this.#vipsUnsaved = false;
    }
    return pairs;
  }

  async #restoreVips(): Promise<void> {
    const { files, stateDir } = this.#options;
    const path = join(stateDir, VIPS_FILE);
    if (await files.stat(path) === undefined) return;
    const reason = this.#vips.restore(await files.readText(path));
    if (reason === undefined) return;
    throw new StateFileError(path, {
      reason,
      remedy:
        "Restore it from a backup: without it hosts would get other VIPs. To accept that, move " +
        "it away.",
    });
  }
}
