/**
 * A control plane that tests script: it speaks the protocol over real TLS, and does what it is told.
 *
 * @module
 */
import {
  type sendUnaryData,
  Server,
  type ServerDuplexStream,
  type ServerUnaryCall,
  status,
} from "@grpc/grpc-js";
import { serverCredentials } from "../../control_plane/caller_identity.ts";
import { CertificateAuthority } from "../../control_plane/certificate_authority.ts";
import {
  type CertificateRequest,
  type CertificateResponse,
  CREATE_CERTIFICATE,
  type DiscoveryRequest,
  type DiscoveryResponse,
  NAME_TABLE_TYPE_URL,
  nameTableResource,
  STREAM_AGGREGATED_RESOURCES,
} from "../../agent/mesh/protocol.ts";
import type { HostEntry } from "../../agent/names/host_entry.ts";
import type { Clock } from "../../agent/system/clock.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { SystemRandom } from "../../agent/system/random.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

/** What a certificate request showed. */
export interface SeenRequest {
  /** The token; empty without one. */
  token: string;
  /** Whether a client certificate was shown and verified. */
  certificate: boolean;
}

/** A stream of an agent. */
export type FakeStream = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;

/** One scripted control plane. */
export class FakeControlPlane implements AsyncDisposable {
  readonly #directory: TemporaryDirectory;
  #server: Server;
  #port = 0;
  /** Its CA. */
  readonly authority: CertificateAuthority;
  /** Certificate requests, in order. */
  readonly certificateRequests: SeenRequest[] = [];
  /** The requests of those who joined by a good token, PEM. */
  readonly joinRequests: string[] = [];
  /** Whether the answers to good requests are lost. */
  losesAnswers = false;
  /** Discovery requests, in order, of all streams. */
  readonly discoveryRequests: DiscoveryRequest[] = [];
  /** Streams that are open. */
  readonly streams = new Set<FakeStream>();
  /** The identity that it gives. */
  identity = "spiffe://cluster.local/ns/vm/sa/vm-sa";
  /** Life of the certificates that it gives. */
  lifeMs = 24 * 3_600_000;
  /** Tokens that it takes; a client certificate is always taken. */
  tokens = new Set(["good-token"]);
  /** Whether renewal by certificate is refused. */
  refuseCertificates = false;
  /** The chain that it answers with, made of the leaf. */
  chainOf: (leaf: string) => string[] = (leaf) => [leaf, this.authority.rootCertificate];
  /** What each new stream gets at once. */
  response: () => DiscoveryResponse | undefined = () => undefined;

  private constructor(directory: TemporaryDirectory, authority: CertificateAuthority) {
    this.#directory = directory;
    this.authority = authority;
    this.#server = new Server();
  }

  /** Starts one on a free port of 127.0.0.1. */
  static async start(clock: Clock): Promise<FakeControlPlane> {
    const directory = await TemporaryDirectory.make();
    const authority = await CertificateAuthority.open({
      clock,
      random: new SystemRandom(),
      files: systemFiles,
      stateDir: directory.path,
      trustDomain: "cluster.local",
    });
    const plane = new FakeControlPlane(directory, authority);
    await plane.listen();
    return plane;
  }

  /** `127.0.0.1:port`. */
  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** A push of a table. */
  static table(entries: HostEntry[], version = "1"): DiscoveryResponse {
    return FakeControlPlane.push([nameTableResource(entries)], version);
  }

  /** A push of any resources. */
  static push(resources: DiscoveryResponse["resources"], version = "1"): DiscoveryResponse {
    return { versionInfo: version, resources, typeUrl: NAME_TABLE_TYPE_URL, nonce: `n${version}` };
  }

  /** Sends a push on every stream. */
  send(response: DiscoveryResponse): void {
    for (const stream of this.streams) stream.write(response);
  }

  /** Stops listening and cuts every connection, as a crash does. */
  stop(): void {
    this.#server.forceShutdown();
    this.streams.clear();
  }

  /** Ends connections in order (GOAWAY) and stops listening. */
  async retire(): Promise<void> {
    for (const stream of this.streams) stream.end();
    await new Promise((resolve) => this.#server.tryShutdown(resolve));
    this.streams.clear();
  }

  /** Listens (again, on the same port). */
  async listen(): Promise<void> {
    const pair = await this.authority.makeServerPair(["istiod.istio-system.svc"]);
    const server = new Server();
    server.addService({ CreateCertificate: CREATE_CERTIFICATE }, {
      CreateCertificate: async (
        call: ServerUnaryCall<CertificateRequest, CertificateResponse>,
        reply: sendUnaryData<CertificateResponse>,
      ) => {
        const token = String(call.metadata.get("authorization")[0] ?? "").replace("Bearer ", "");
        const certificate = call.getAuthContext().sslPeerCertificate !== undefined;
        this.certificateRequests.push({ token, certificate });
        if (certificate ? this.refuseCertificates : !this.tokens.has(token)) {
          reply({ code: status.UNAUTHENTICATED, details: "not authenticated" });
          return;
        }
        if (!certificate) this.joinRequests.push(call.request.csr);
        if (this.losesAnswers) {
          reply({ code: status.UNAVAILABLE, details: "cut" });
          return;
        }
        const { identity, lifeMs } = this;
        const leaf = await this.authority.signNode(
          await this.authority.readRequest(call.request.csr),
          { identity, lifeMs },
        );
        reply(null, { certChain: this.chainOf(leaf) });
      },
    });
    server.addService({ Stream: STREAM_AGGREGATED_RESOURCES }, {
      Stream: (stream: FakeStream) => {
        this.streams.add(stream);
        stream.on("data", (request: DiscoveryRequest) => {
          this.discoveryRequests.push(request);
          const response = request.node && this.response();
          if (response) stream.write(response);
        });
        const end = () => this.streams.delete(stream);
        stream.on("cancelled", end).on("error", end).on("end", end);
      },
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      const credentials = serverCredentials(pair, this.authority.rootCertificate);
      server.bindAsync(`127.0.0.1:${this.#port}`, credentials, (error, port) => {
        if (error) reject(error);
        else resolve(port);
      });
    });
    this.#server = server;
  }

  /** Stops it and removes its folder. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
    await this.#directory[Symbol.asyncDispose]();
  }
}
