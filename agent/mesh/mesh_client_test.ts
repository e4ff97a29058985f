import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { FakeControlPlane } from "../../test/support/fake_control_plane.ts";
import { FixedRandom } from "../../test/support/fixed_random.ts";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { TemporaryDirectory } from "../../test/support/temporary_directory.ts";
import { until } from "../../test/support/until.ts";
import type { HostEntry } from "../names/host_entry.ts";
import { systemFiles } from "../system/files.ts";
import { silentLog } from "../system/log.ts";
import { vouchedRoots } from "./certificate.ts";
import { MeshClient, type MeshClientOptions, type NameTablePush } from "./mesh_client.ts";
import { NAME_TABLE_TYPE_URL } from "./protocol.ts";

const HOUR_MS = 3_600_000;
const entry = (host: string): HostEntry => ({
  host,
  addresses: ["10.0.0.1"],
  registry: "Kubernetes",
  shortName: host.split(".")[0],
  namespace: "ns1",
  altHosts: [],
});

/** One client with its folder, on a clock that starts now, since TLS goes by the real one. */
class Fixture implements AsyncDisposable {
  readonly clock: ManualClock;
  readonly directory: TemporaryDirectory;
  readonly plane: FakeControlPlane;
  readonly pushes: NameTablePush[] = [];
  client!: MeshClient;
  #stop = new AbortController();
  #ended: Promise<void> = Promise.resolve();
  verdict: (push: NameTablePush) => boolean = () => true;

  constructor(clock: ManualClock, directory: TemporaryDirectory, plane: FakeControlPlane) {
    this.clock = clock;
    this.directory = directory;
    this.plane = plane;
  }

  static async make(): Promise<Fixture> {
    const clock = new ManualClock(new Date().toISOString());
    const directory = await TemporaryDirectory.make();
    const plane = await FakeControlPlane.start(clock);
    plane.response = () => FakeControlPlane.table([entry("a.ns1.svc.cluster.local")]);
    await directory.write("root.pem", plane.authority.rootCertificate);
    await directory.write("token", "good-token\n");
    return new Fixture(clock, directory, plane);
  }

  async start(overrides: Partial<MeshClientOptions> = {}): Promise<void> {
    const { path } = this.directory;
    this.#stop = new AbortController();
    this.client = new MeshClient({
      clock: this.clock,
      random: new FixedRandom(0.5),
      files: systemFiles,
      log: silentLog,
      node: {
        name: "vm-1",
        namespace: "vm",
        serviceAccount: "vm-sa",
        cluster: "Kubernetes",
        network: "",
        trustDomain: "cluster.local",
        clusterDomain: "cluster.local",
        addresses: ["192.0.2.10", "2001:db8::10"],
        labels: { app: "db" },
        meshId: "",
        revision: "default",
      },
      controlPlane: {
        addresses: [this.plane.address],
        serverName: "istiod.istio-system.svc",
        rootCertPath: `${path}/root.pem`,
        tokenPath: `${path}/token`,
      },
      stateDir: `${path}/state`,
      resolveHost: () => Promise.resolve([]),
      onTable: (push) => {
        if (!this.verdict(push)) return { accepted: false, reason: "not usable" };
        this.pushes.push(push);
        return { accepted: true };
      },
      ...overrides,
    });
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

/** grpc-js keeps timers and sockets for a moment after a channel is closed. */
function test(title: string, body: (fixture: Fixture) => Promise<void>): void {
  Deno.test({
    name: `MeshClient ${title}`,
    sanitizeOps: false,
    sanitizeResources: false,
    fn: async () => {
      await using fixture = await Fixture.make();
      await body(fixture);
    },
  });
}

test("joins by token, keeps its credentials for itself, and subscribes", async (fixture) => {
  const { plane, directory } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  assert.deepEqual(plane.certificateRequests, [{ token: "good-token", certificate: false }]);
  assert.equal(fixture.certificate.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
  assert.equal(fixture.client.status().controlPlane.state, "connected");
  assert.deepEqual(fixture.problems, []);
  const stored = await Deno.stat(`${directory.path}/state/credentials.json`);
  assert.equal(stored.mode! & 0o777, 0o600);
  const [first] = plane.discoveryRequests;
  assert.equal(first.typeUrl, NAME_TABLE_TYPE_URL);
  assert.equal(first.node!.id, "sidecar~192.0.2.10~vm-1.vm~vm.svc.cluster.local");
  assert.deepEqual(first.node!.metadata, {
    NAME: "vm-1",
    NAMESPACE: "vm",
    SERVICE_ACCOUNT: "vm-sa",
    CLUSTER_ID: "Kubernetes",
    INSTANCE_IPS: "192.0.2.10,2001:db8::10",
    LABELS: { app: "db" },
    ISTIO_VERSION: first.node!.metadata!.ISTIO_VERSION,
    ISTIO_REVISION: "default",
    DNS_CAPTURE: "true",
    DNS_AUTO_ALLOCATE: "true",
  });
  await fixture.until(() => plane.discoveryRequests.length === 2, "an ACK");
  const ack = plane.discoveryRequests[1];
  assert.deepEqual([ack.versionInfo, ack.responseNonce, ack.errorDetail], ["1", "n1", null]);
});

test("renews by certificate between 50 and 80 % of its life, also with an expired token", async (fixture) => {
  const { plane } = fixture;
  await fixture.start();
  await fixture.until(
    () => plane.certificateRequests.length === 1 && fixture.certificate.state === "valid",
    "a certificate",
  );
  plane.tokens.clear();
  const before = fixture.certificate;
  const lifeMs = 24 * HOUR_MS;
  // FixedRandom(0.5): 65 % of the life, which begins two minutes before now.
  const renewInMs = Date.parse(before.renewAt) - fixture.clock.wallMs();
  assert.ok(Math.abs(renewInMs - 0.65 * lifeMs) < 5 * 60_000, `${renewInMs / HOUR_MS} h`);
  await fixture.clock.advance(0.6 * lifeMs);
  assert.equal(plane.certificateRequests.length, 1);
  await fixture.clock.advance(0.06 * lifeMs);
  await fixture.until(() => fixture.certificate.expiresAt !== before.expiresAt, "a renewal");
  assert.deepEqual(plane.certificateRequests[1], { token: "", certificate: true });
  assert.equal(fixture.certificate.state, "valid");
});

test("shows no certificate that expired while it was off, and says what is gone", async (fixture) => {
  const { plane, directory } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  await fixture.stop();
  await fixture.clock.advance(25 * HOUR_MS);
  const expiredJwt = `x.${btoa(JSON.stringify({ exp: 1_700_000_000 }))}.x`;
  await directory.write("token", expiredJwt);
  plane.certificateRequests.length = 0;
  await fixture.start();
  await fixture.until(() => fixture.problems.includes("TOKEN_EXPIRED"), "the problem");
  assert.deepEqual(plane.certificateRequests[0], { token: expiredJwt, certificate: false });
  assert.equal(fixture.certificate.state, "expired");
  const [problem] = fixture.client.status().problems;
  assert.match(problem.message, /The token expired at 2023-11-14.*no valid certificate/);
  assert.match(problem.remedy, /kubectl create token/);
  assert.doesNotMatch(JSON.stringify(fixture.client.status()), new RegExp(expiredJwt.slice(2, 20)));
  // Names go on being served, from the disk.
  assert.equal(fixture.pushes.at(-1)!.origin, "disk");
  // A fresh token is taken up without a restart.
  await directory.write("token", "good-token");
  await fixture.until(() => fixture.certificate.state === "valid", "a new certificate", 1_000);
  await fixture.until(() => fixture.problems.length === 0, "no more problems");
});

test("falls back to the token where renewal is refused", async (fixture) => {
  const { plane } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate");
  plane.refuseCertificates = true;
  await fixture.clock.advance(17 * HOUR_MS);
  await fixture.until(() => plane.certificateRequests.length >= 3, "two requests");
  assert.deepEqual(plane.certificateRequests.slice(1, 3), [
    { token: "", certificate: true },
    { token: "good-token", certificate: false },
  ]);
});

test("shows no certificate that the roots of now do not vouch for", async (fixture) => {
  const { plane, directory } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate");
  await fixture.stop();
  await using other = await FakeControlPlane.start(fixture.clock);
  await directory.write("root.pem", other.authority.rootCertificate);
  const addresses = [other.address];
  await fixture.start({
    controlPlane: {
      addresses,
      serverName: "istiod.istio-system.svc",
      rootCertPath: `${directory.path}/root.pem`,
      tokenPath: `${directory.path}/token`,
    },
  });
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate of the other");
  assert.deepEqual(other.certificateRequests[0], { token: "good-token", certificate: false });
  assert.equal(plane.certificateRequests.length, 1);
});

test("trusts no control plane that its roots do not vouch for, and takes up a corrected root file", async (fixture) => {
  const { plane, directory } = fixture;
  await using other = await FakeControlPlane.start(fixture.clock);
  await directory.write("root.pem", other.authority.rootCertificate);
  await fixture.start();
  await fixture.until(() => fixture.problems.includes("CONTROL_PLANE_UNTRUSTED"), "the problem");
  assert.equal(plane.certificateRequests.length, 0);
  await directory.write("root.pem", plane.authority.rootCertificate);
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate", 1_000);
});

test("says which file is missing, empty or damaged", async (fixture) => {
  const { directory } = fixture;
  await directory.write("token", "\n");
  await directory.write("state/credentials.json", '{"version":1,"key":"x"');
  await fixture.start();
  await fixture.until(() => fixture.problems.length === 2, "two problems");
  assert.deepEqual(fixture.problems, ["CREDENTIALS_DAMAGED", "TOKEN_UNREADABLE"]);
  assert.match(fixture.client.status().problems[1].message, /token" is empty/);
  await Deno.remove(`${directory.path}/root.pem`);
  await fixture.until(() => fixture.problems.includes("ROOT_CERT_UNREADABLE"), "the next", 1_000);
});

test("uses the identity that it is given, and says that it differs", async (fixture) => {
  fixture.plane.identity = "spiffe://cluster.local/ns/other/sa/other";
  await fixture.start();
  await fixture.until(() => fixture.problems.includes("IDENTITY_DIFFERS"), "the problem");
  assert.equal(fixture.certificate.identity, "spiffe://cluster.local/ns/other/sa/other");
  assert.equal(fixture.certificate.state, "valid");
});

test("refuses a certificate of a root that nobody vouches for", async (fixture) => {
  await using other = await FakeControlPlane.start(fixture.clock);
  const { plane } = fixture;
  // The server is the trusted one, but what it signs with is not.
  Object.defineProperty(plane, "authority", { value: other.authority });
  await fixture.start();
  await fixture.until(() => fixture.problems.includes("CERTIFICATE_INVALID"), "the problem");
  assert.equal(fixture.certificate.state, "none");
  const { rootCertificate } = other.authority;
  const trusted = await Deno.readTextFile(`${fixture.directory.path}/root.pem`);
  assert.deepEqual(
    await vouchedRoots([rootCertificate], { roots: [trusted], nowMs: fixture.clock.wallMs() }),
    [],
  );
});

test("goes on from memory where its folder cannot be written", async (fixture) => {
  const { plane, directory } = fixture;
  // A file where the folder should be: also root cannot write there.
  await directory.write("state", "");
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  await fixture.until(() => fixture.problems.includes("STATE_NOT_WRITABLE"), "the problem", 1_000);
  assert.equal(fixture.certificate.state, "valid");
});

test("refuses tables that are none, keeps the last good one, and takes the next", async (fixture) => {
  const { plane } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  const good = FakeControlPlane.table([entry("b.ns1.svc.cluster.local")], "9").resources[0];
  const bad = [
    FakeControlPlane.push([{ ...good, value: good.value.slice(0, -4) }], "2"),
    FakeControlPlane.push([], "3"),
    FakeControlPlane.push([good, good], "4"),
    FakeControlPlane.push([{ ...good, typeUrl: "type.googleapis.com/other" }], "5"),
  ];
  for (const response of bad) {
    const before = plane.discoveryRequests.length;
    plane.send(response);
    await fixture.until(() => plane.discoveryRequests.length > before, "a NACK");
    const nack = plane.discoveryRequests.at(-1)!;
    assert.equal(nack.errorDetail?.code, 3);
    assert.deepEqual([nack.versionInfo, nack.responseNonce], ["1", response.nonce]);
  }
  assert.ok(fixture.problems.includes("NAME_TABLE_REFUSED"));
  assert.equal(fixture.pushes.length, 1);
  plane.send(FakeControlPlane.table([entry("b.ns1.svc.cluster.local")], "6"));
  await fixture.until(() => fixture.pushes.length === 2, "the next table");
  assert.deepEqual(fixture.problems, []);
  fixture.verdict = () => false;
  plane.send(FakeControlPlane.table([entry("c.ns1.svc.cluster.local")], "7"));
  await fixture.until(
    () => fixture.problems.includes("NAME_TABLE_REFUSED"),
    "a refusal from above",
  );
});

test("takes 100,000 names in one push", async (fixture) => {
  const entries = Array.from(
    { length: 100_000 },
    (_, i) => entry(`svc-${i}.ns-${i % 100}.svc.cluster.local`),
  );
  fixture.plane.response = () => FakeControlPlane.table(entries);
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "the table");
  assert.equal(fixture.pushes[0].entries.length, 100_000);
});

test("comes back after a crash and after an orderly end of the control plane", async (fixture) => {
  const { plane } = fixture;
  let version = 0;
  plane.response = () =>
    FakeControlPlane.table([entry("a.ns1.svc.cluster.local")], String(++version));
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  plane.stop();
  await fixture.until(
    () => fixture.problems.includes("CONTROL_PLANE_UNREACHABLE"),
    "the problem",
    500,
  );
  await plane.listen();
  await fixture.until(() => fixture.pushes.length === 2, "a table after the crash", 500);
  assert.deepEqual(fixture.problems, []);
  assert.equal(plane.discoveryRequests.findLast(({ node }) => node)!.versionInfo, "1");
  await plane.retire();
  await plane.listen();
  await fixture.until(() => fixture.pushes.length === 3, "a table after the end", 500);
});

test("notices a connection that is silently gone, and opens another", async (fixture) => {
  const { plane, directory } = fixture;
  // Between the two stands a proxy that one day forwards nothing more, and closes nothing.
  const port = Number(plane.address.split(":")[1]);
  const connections = new Set<{ frozen: boolean }>();
  const sockets: Socket[] = [];
  const proxy = createServer((client) => {
    const connection = { frozen: false };
    connections.add(connection);
    const server = connect(port, "127.0.0.1");
    sockets.push(client, server);
    const pipe = (from: Socket, to: Socket) => {
      from.on("data", (chunk: Uint8Array) => connection.frozen || to.write(chunk));
      from.on("error", () => {}).on("close", () => connection.frozen || to.destroy());
    };
    pipe(client, server);
    pipe(server, client);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  await fixture.start({
    keepalive: { timeMs: 100, timeoutMs: 100 },
    controlPlane: {
      addresses: [`127.0.0.1:${(proxy.address() as { port: number }).port}`],
      serverName: "istiod.istio-system.svc",
      rootCertPath: `${directory.path}/root.pem`,
      tokenPath: `${directory.path}/token`,
    },
  });
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  for (const connection of connections) connection.frozen = true;
  await fixture.until(() => fixture.pushes.length === 2, "a table on another connection", 100);
  await fixture.stop();
  for (const socket of sockets) socket.destroy();
  proxy.close();
});

test("goes on to the next address", async (fixture) => {
  const { plane, directory } = fixture;
  await fixture.start({
    controlPlane: {
      addresses: ["127.0.0.1:1", "absent.example:15012", plane.address],
      serverName: "istiod.istio-system.svc",
      rootCertPath: `${directory.path}/root.pem`,
      tokenPath: `${directory.path}/token`,
    },
  });
  await fixture.until(() => fixture.pushes.length === 1, "a table", 500);
  assert.equal(fixture.client.status().controlPlane.address, plane.address);
});

test("finds the control plane's name in the hosts file, and at the upstream servers", async (fixture) => {
  const { plane, directory } = fixture;
  plane.response = () => FakeControlPlane.table([entry("a.ns1.svc.cluster.local")]);
  const port = plane.address.split(":")[1];
  const asked: string[] = [];
  const controlPlane = {
    addresses: [`istiod.example.org:${port}`],
    serverName: "istiod.istio-system.svc",
    rootCertPath: `${directory.path}/root.pem`,
    tokenPath: `${directory.path}/token`,
    hostsPath: await directory.write("hosts", "127.0.0.1 other ISTIOD.example.org # east-west\n"),
  };
  const resolveHost = (name: string) => {
    asked.push(name);
    return Promise.resolve(["127.0.0.1"]);
  };
  await fixture.start({ controlPlane, resolveHost });
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  assert.equal(asked.length, 0);
  await fixture.stop();
  await directory.write("hosts", "");
  await fixture.start({ controlPlane, resolveHost });
  await fixture.until(() => fixture.pushes.length === 3, "a table");
  assert.ok(asked.includes("istiod.example.org"));
});

test("serves the saved table at once after a restart, and passes a damaged one over", async (fixture) => {
  const { plane, directory } = fixture;
  plane.response = () => FakeControlPlane.table([entry("a.ns1.svc.cluster.local")], "41");
  await fixture.start();
  await fixture.until(() => fixture.pushes.length === 1, "a table");
  await fixture.stop();
  plane.stop();
  await fixture.start();
  const saved = fixture.pushes.at(-1)!;
  assert.deepEqual([saved.origin, saved.version, saved.entries[0].host], [
    "disk",
    "41",
    "a.ns1.svc.cluster.local",
  ]);
  await fixture.stop();
  const path = `${directory.path}/state/name-table.bin`;
  const whole = await Deno.readFile(path);
  const damages: [string, Uint8Array<ArrayBuffer>][] = [
    ["empty", new Uint8Array(0)],
    ["cut short", whole.slice(0, -1)],
    ["cut in the header", whole.slice(0, 20)],
    ["one bit", whole.map((octet, i) => i === whole.length - 3 ? octet ^ 1 : octet)],
  ];
  for (const [title, bytes] of damages) {
    await Deno.writeFile(path, bytes);
    const before = fixture.pushes.length;
    await fixture.start();
    assert.ok(fixture.problems.includes("SAVED_TABLE_DAMAGED"), title);
    assert.equal(fixture.pushes.length, before, title);
    await fixture.stop();
  }
});
