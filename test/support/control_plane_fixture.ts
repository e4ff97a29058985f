/**
 * A real control plane with its folders, and the simplest of clients, for tests.
 *
 * @module
 */
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { makeSigningRequest } from "../../agent/mesh/certificate.ts";
import {
  CREATE_CERTIFICATE,
  type DiscoveryRequest,
  type DiscoveryResponse,
  NAME_TABLE_TYPE_URL,
  STREAM_AGGREGATED_RESOURCES,
} from "../../agent/mesh/protocol.ts";
import { decodeNameTable } from "../../agent/names/name_table_message.ts";
import { systemClock } from "../../agent/system/clock.ts";
import { systemFiles } from "../../agent/system/files.ts";
import { type LogFields, type Logger, silentLog } from "../../agent/system/log.ts";
import { SystemRandom } from "../../agent/system/random.ts";
import { formatSocketAddress } from "../../agent/system/socket_address.ts";
import { ControlPlane } from "../../control_plane/control_plane.ts";
import { TemporaryDirectory } from "./temporary_directory.ts";

/** What a request for a certificate brought. */
export interface Answer {
  chain: string[];
  error?: ServiceError;
}

/** A control plane with its folders, and the simplest of clients. */
export class ControlPlaneFixture implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly warnings: { message: string; fields: LogFields | undefined }[] = [];
  plane!: ControlPlane;
  readonly #clients: Client[] = [];

  constructor(directory: TemporaryDirectory) {
    this.directory = directory;
  }

  static async make(files: Record<string, string> = {}): Promise<ControlPlaneFixture> {
    const fixture = new ControlPlaneFixture(await TemporaryDirectory.make());
    await Deno.mkdir(`${fixture.directory.path}/mesh`);
    for (const [name, text] of Object.entries(files)) await fixture.write(name, text);
    await fixture.start();
    return fixture;
  }

  write(name: string, text: string): Promise<string> {
    return this.directory.write(`mesh/${name}`, text);
  }

  async start(): Promise<void> {
    const log: Logger = {
      ...silentLog,
      warn: (message, fields) => void this.warnings.push({ message, fields }),
    };
    this.plane = new ControlPlane({
      clock: systemClock,
      random: new SystemRandom(),
      files: systemFiles,
      log,
      configDir: `${this.directory.path}/mesh`,
      stateDir: `${this.directory.path}/state`,
      grpcListen: { address: "127.0.0.1", port: 0 },
      trustDomain: "cluster.local",
      clusterDomain: "cluster.local",
    });
    await this.plane.start();
  }

  async stop(): Promise<void> {
    for (const client of this.#clients.splice(0)) client.close();
    await this.plane[Symbol.asyncDispose]();
  }

  client(pair?: { key: string; chain: string[] }): Client {
    const root = Deno.readFileSync(this.plane.rootCertificatePath);
    const tls = credentials.createSsl(
      Buffer.from(root),
      pair && Buffer.from(pair.key),
      pair && Buffer.from(pair.chain.join("")),
    );
    const client = new Client(formatSocketAddress(this.plane.grpcAddress), tls, {
      "grpc.use_local_subchannel_pool": 1,
      "grpc.ssl_target_name_override": "istiod.istio-system.svc",
    });
    this.#clients.push(client);
    return client;
  }

  token(namespace = "ns1", ttlSeconds = 60): Promise<string> {
    return this.plane.createToken({ namespace, serviceAccount: "vm-sa", ttlSeconds });
  }

  sign(client: Client, csr: string, token?: string): Promise<Answer> {
    const { path, requestSerialize, responseDeserialize } = CREATE_CERTIFICATE;
    return new Promise((resolve) => {
      const request = { csr, validityDuration: 3600 };
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        request,
        bearer(token),
        (error, value) => resolve({ chain: value?.certChain ?? [], ...(error && { error }) }),
      );
    });
  }

  /** Joins: a key with its certificate. */
  async join(namespace = "ns1"): Promise<{ key: string; chain: string[] }> {
    const { key, csr } = await makeSigningRequest("spiffe://x/ns/y/sa/z");
    const { chain, error } = await this.sign(this.client(), csr, await this.token(namespace));
    assert.equal(error, undefined);
    return { key, chain };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await this.directory[Symbol.asyncDispose]();
  }
}

function bearer(token: string | undefined): Metadata {
  const metadata = new Metadata();
  if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
  return metadata;
}

/** A stream that remembers what it got, and says ACK unless it is told not to. */
export function subscribe(
  client: Client,
  options: { token?: string; cluster?: string; ack?: boolean } = {},
) {
  const { path, requestSerialize, responseDeserialize } = STREAM_AGGREGATED_RESOURCES;
  const stream: ClientDuplexStream<DiscoveryRequest, DiscoveryResponse> = client
    .makeBidiStreamRequest(
      path,
      requestSerialize,
      responseDeserialize,
      bearer(options.token),
    );
  const state = { pushes: [] as DiscoveryResponse[], error: undefined as ServiceError | undefined };
  const ack = (nonce: string, errorDetail?: { code: number; message: string }) =>
    stream.write({
      typeUrl: NAME_TABLE_TYPE_URL,
      responseNonce: nonce,
      ...(errorDetail && { errorDetail }),
    });
  stream.on("data", (response: DiscoveryResponse) => {
    state.pushes.push(response);
    if (options.ack !== false) ack(response.nonce);
  });
  stream.on("error", (error: ServiceError) => state.error = error);
  const node = {
    id: "sidecar~192.0.2.10~vm.ns1~x",
    metadata: { CLUSTER_ID: options.cluster ?? "Kubernetes", NAMESPACE: "spoofed" },
  };
  stream.write({ typeUrl: NAME_TABLE_TYPE_URL, node });
  const names = () => {
    const last = state.pushes.at(-1);
    return last === undefined
      ? undefined
      : [...decodeNameTable(last.resources[0].value)].map(({ host, addresses }) =>
        `${host} ${addresses.join(" ")}`
      );
  };
  return { state, names, ack, stream };
}
