import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  Client,
  type ClientDuplexStream,
  credentials,
  Metadata,
  type ServiceError,
} from "@grpc/grpc-js";
import { TemporaryDirectory } from "../test/support/temporary_directory.ts";
import { until } from "../test/support/until.ts";
import { judgeChain, makeSigningRequest } from "../agent/mesh/certificate.ts";
import {
  CREATE_CERTIFICATE,
  decodeNameTable,
  type DiscoveryRequest,
  type DiscoveryResponse,
  NAME_TABLE_TYPE_URL,
  STREAM_AGGREGATED_RESOURCES,
} from "../agent/mesh/protocol.ts";
import { systemClock } from "../agent/system/clock.ts";
import { systemFiles } from "../agent/system/files.ts";
import { type LogFields, type Logger, silentLog } from "../agent/system/log.ts";
import { SystemRandom } from "../agent/system/random.ts";
import { formatSocketAddress } from "../agent/system/socket_address.ts";
import { CertificateAuthority } from "./certificate_authority.ts";
import { ControlPlane } from "./control_plane.ts";
import { GrpcListenError, StateFileError } from "./errors.ts";

const service = (name: string, address: string) =>
  `kind: Service\nmetadata: { name: ${name}, namespace: ns1 }\nspec: { clusterIP: ${address} }\n---\n`;
const database = (name: string) =>
  `kind: ServiceEntry\nmetadata: { name: ${name}, namespace: ns1 }\n` +
  `spec: { hosts: [${name}.example.org], resolution: DNS, ports: [{ number: 3306, name: tcp, protocol: TCP }] }\n---\n`;

interface Answer {
  chain: string[];
  error?: ServiceError;
}

/** A control plane with its folders, and the simplest of clients. */
class Fixture implements AsyncDisposable {
  readonly directory: TemporaryDirectory;
  readonly warnings: { message: string; fields: LogFields | undefined }[] = [];
  plane!: ControlPlane;
  readonly #clients: Client[] = [];

  constructor(directory: TemporaryDirectory) {
    this.directory = directory;
  }

  static async make(files: Record<string, string> = {}): Promise<Fixture> {
    const fixture = new Fixture(await TemporaryDirectory.make());
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
function subscribe(
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
      : decodeNameTable(last.resources[0].value).map(({ host, addresses }) =>
        `${host} ${addresses.join(" ")}`
      );
  };
  return { state, names, ack, stream };
}

/** grpc-js keeps timers and sockets for a moment after a channel is closed. */
function test(title: string, body: () => Promise<void>): void {
  Deno.test({
    name: `ControlPlane ${title}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: body,
  });
}

test("signs for those who show a token, as whom the token is for", async () => {
  await using fixture = await Fixture.make();
  const { key, csr } = await makeSigningRequest("spiffe://cluster.local/ns/kube-system/sa/admin");
  const { chain, error } = await fixture.sign(fixture.client(), csr, await fixture.token("vm"));
  assert.equal(error, undefined);
  const root = await Deno.readTextFile(fixture.plane.rootCertificatePath);
  const verdict = await judgeChain(chain, { roots: [root], key, nowMs: Date.now() });
  assert.equal(verdict.state, "valid");
  assert.equal(verdict.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
  const lifeMs = verdict.notAfterMs - Date.now();
  assert.ok(lifeMs > 3_500_000 && lifeMs <= 3_600_000);
  assert.equal(chain.at(-1), root);
});

test("signs anew for those who show a certificate of its own", async () => {
  await using fixture = await Fixture.make();
  const pair = await fixture.join("vm");
  const { key, csr } = await makeSigningRequest("spiffe://x/ns/y/sa/z");
  const { chain, error } = await fixture.sign(fixture.client(pair), csr);
  assert.equal(error, undefined);
  const root = await Deno.readTextFile(fixture.plane.rootCertificatePath);
  const verdict = await judgeChain(chain, { roots: [root], key, nowMs: Date.now() });
  assert.equal(verdict.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
});

test("signs for nobody else, and says why", async () => {
  await using fixture = await Fixture.make();
  const { csr } = await makeSigningRequest("spiffe://x/ns/y/sa/z");
  const stateDir = `${fixture.directory.path}/other`;
  await Deno.mkdir(stateDir);
  const other = await CertificateAuthority.open({
    clock: systemClock,
    random: new SystemRandom(),
    files: systemFiles,
    stateDir,
    trustDomain: "cluster.local",
  });
  const rogue = await makeSigningRequest("spiffe://x/ns/y/sa/z");
  const identity = "spiffe://cluster.local/ns/vm/sa/vm-sa";
  const chain = [await other.signNode(rogue.csr, { identity, lifeMs: 3_600_000 })];
  const cases: [string, Client, string | undefined, number, RegExp][] = [
    ["nothing shown", fixture.client(), undefined, 16, /neither a client certificate nor a token/],
    ["a token that nobody made", fixture.client(), "ort_x", 16, /the token is not known here/],
    [
      "an expired token",
      fixture.client(),
      await fixture.token("vm", -1),
      16,
      /the token expired at 20/,
    ],
    [
      "a certificate of another CA",
      fixture.client({ key: rogue.key, chain }),
      undefined,
      16,
      /neither/,
    ],
  ];
  for (const [title, client, token, code, details] of cases) {
    const { error } = await fixture.sign(client, csr, token);
    assert.equal(error?.code, code, title);
    assert.match(error!.details, details, title);
  }
  const token = await fixture.token();
  for (const bad of ["", "hello", csr.replace(/[A-Za-z]{8}/, "AAAAAAAA")]) {
    const { error } = await fixture.sign(fixture.client(), bad, token);
    assert.equal(error?.code, 3);
    assert.match(error!.details, /Sign the certificate request: it is not/);
  }
});

test("keeps only hashes of tokens, readable for itself alone", async () => {
  await using fixture = await Fixture.make();
  const token = await fixture.token();
  const state = `${fixture.directory.path}/state`;
  for (const file of ["join-tokens.json", "ca.pem"]) {
    assert.equal((await Deno.stat(`${state}/${file}`)).mode! & 0o777, 0o600, file);
  }
  assert.doesNotMatch(
    await Deno.readTextFile(`${state}/join-tokens.json`),
    new RegExp(token.slice(4)),
  );
  assert.doesNotMatch(await Deno.readTextFile(`${state}/root-cert.pem`), /PRIVATE/);
});

test("pushes the table of the caller's namespace, whatever its node says", async () => {
  const annotated = (exportTo: string) =>
    service("secret", "10.0.0.9").replace(
      "namespace: ns1",
      `namespace: ns1, annotations: { networking.istio.io/exportTo: "${exportTo}" }`,
    );
  await using fixture = await Fixture.make({
    "a.yaml": service("a", "10.0.0.1") + annotated("."),
    "cluster-2/b.json": JSON.stringify({
      kind: "Service",
      metadata: { name: "b", namespace: "ns1" },
      spec: { clusterIP: "10.9.0.1" },
    }),
    ".hidden.yaml": service("hidden", "10.0.0.2"),
    "a.yaml~": service("backup", "10.0.0.3"),
    "notes.txt": "nothing",
  });
  const own = subscribe(fixture.client(await fixture.join("ns1")));
  const foreign = subscribe(fixture.client(await fixture.join("ns2")));
  await until(() => own.state.pushes.length + foreign.state.pushes.length === 2, "two tables");
  assert.deepEqual(own.names(), [
    "a.ns1.svc.cluster.local 10.0.0.1",
    "b.ns1.svc.cluster.local 10.9.0.1",
    "secret.ns1.svc.cluster.local 10.0.0.9",
  ]);
  assert.deepEqual(foreign.names(), own.names()!.slice(0, 2));
  assert.equal(fixture.plane.agents, 2);
});

test("listens to nobody that it does not know", async () => {
  await using fixture = await Fixture.make();
  const { state } = subscribe(fixture.client());
  await until(() => state.error !== undefined, "a refusal");
  assert.equal(state.error!.code, 16);
  const byToken = subscribe(fixture.client(), { token: await fixture.token() });
  await until(() => byToken.state.pushes.length === 1, "a table by token");
});

test("pushes an edit within a second, one push at a time, and nothing without a change", async () => {
  await using fixture = await Fixture.make({ "a.yaml": service("a", "10.0.0.1") });
  const agent = subscribe(fixture.client(await fixture.join()), { ack: false });
  await until(() => agent.state.pushes.length === 1, "a table");
  agent.ack(agent.state.pushes[0].nonce);
  const startedMs = performance.now();
  await fixture.write("a.yaml", service("a", "10.0.0.1") + service("b", "10.0.0.2"));
  await until(() => agent.state.pushes.length === 2, "the edit");
  assert.ok(performance.now() - startedMs < 1_000);
  // The second push is not answered yet: what changes now waits, and goes out as one.
  await fixture.write("c.yaml", service("c", "10.0.0.3"));
  await fixture.write("d.yaml", service("d", "10.0.0.4"));
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(agent.state.pushes.length, 2);
  agent.ack(agent.state.pushes[1].nonce, { code: 3, message: "no" });
  await until(() => agent.state.pushes.length === 3, "the rest");
  assert.equal(agent.names()!.length, 4);
  assert.ok(fixture.warnings.some(({ message }) => message === "An agent refused a table"));
  agent.ack(agent.state.pushes[2].nonce);
  await fixture.write(
    "a.yaml",
    `# only a comment\n${service("a", "10.0.0.1")}${service("b", "10.0.0.2")}`,
  );
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.equal(agent.state.pushes.length, 3);
});

test("keeps the last good objects of a broken file, and forgets those of a removed one", async () => {
  await using fixture = await Fixture.make({
    "a.yaml": service("a", "10.0.0.1"),
    "b.yaml": service("b", "10.0.0.2"),
  });
  const agent = subscribe(fixture.client(await fixture.join()));
  await until(() => agent.state.pushes.length === 1, "a table");
  await fixture.write("a.yaml", service("a", "10.0.0.7").slice(0, -20) + "\n  : [");
  await until(() => fixture.plane.problems().length === 1, "the problem");
  assert.match(fixture.plane.problems()[0], /a\.yaml:\d+: not YAML/);
  assert.ok(
    fixture.warnings.some(({ message }) => message.startsWith("A file of objects is broken")),
  );
  await Deno.remove(`${fixture.directory.path}/mesh/b.yaml`);
  await until(() => agent.names()?.length === 1, "b to go");
  assert.deepEqual(agent.names(), ["a.ns1.svc.cluster.local 10.0.0.1"]);
  await fixture.write("a.yaml", service("a", "10.0.0.7"));
  await until(() => agent.names()?.[0] === "a.ns1.svc.cluster.local 10.0.0.7", "the repaired file");
  assert.deepEqual(fixture.plane.problems(), []);
});

test("gives VIPs that no edit and no restart moves", async () => {
  await using fixture = await Fixture.make({ "db.yaml": database("db1") + database("db2") });
  const first = subscribe(fixture.client(await fixture.join()));
  await until(() => first.state.pushes.length === 1, "a table");
  assert.deepEqual(first.names(), [
    "db1.example.org 240.240.0.1 2001:2::1",
    "db2.example.org 240.240.0.2 2001:2::2",
  ]);
  await fixture.write("db.yaml", database("db0") + database("db2"));
  await until(() => first.state.pushes.length === 2, "the edit");
  await fixture.stop();
  await fixture.start();
  const second = subscribe(fixture.client(await fixture.join()));
  await until(() => second.state.pushes.length === 1, "a table after the restart");
  assert.deepEqual(second.names(), [
    "db0.example.org 240.240.0.3 2001:2::3",
    "db2.example.org 240.240.0.2 2001:2::2",
  ]);
});

test("starts with its root of before, and not at all where its state is damaged", async () => {
  await using fixture = await Fixture.make({ "db.yaml": database("db1") });
  const root = await Deno.readTextFile(fixture.plane.rootCertificatePath);
  await fixture.stop();
  await fixture.start();
  assert.equal(await Deno.readTextFile(fixture.plane.rootCertificatePath), root);
  await fixture.stop();
  const state = `${fixture.directory.path}/state`;
  for (const file of ["ca.pem", "vips.json"]) {
    const whole = await Deno.readTextFile(`${state}/${file}`);
    await Deno.writeTextFile(`${state}/${file}`, whole.slice(0, 40));
    await assert.rejects(
      fixture.start(),
      (error: unknown) =>
        error instanceof StateFileError && error.message.includes(file) &&
        /move it away/.test(error.message),
    );
    await fixture.stop();
    await Deno.writeTextFile(`${state}/${file}`, whole);
  }
  await fixture.start();
});

test("says which address it cannot have", async () => {
  await using fixture = await Fixture.make();
  const second = new ControlPlane({
    clock: systemClock,
    random: new SystemRandom(),
    files: systemFiles,
    log: silentLog,
    configDir: `${fixture.directory.path}/mesh`,
    stateDir: `${fixture.directory.path}/state-2`,
    grpcListen: fixture.plane.grpcAddress,
    trustDomain: "cluster.local",
    clusterDomain: "cluster.local",
  });
  await assert.rejects(
    second.start(),
    (error: unknown) => error instanceof GrpcListenError && /--grpc-listen/.test(error.message),
  );
  await second[Symbol.asyncDispose]();
});
