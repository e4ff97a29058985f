import assert from "node:assert/strict";
import type { Client } from "@grpc/grpc-js";
import { judgeChain, makeSigningRequest } from "../agent/mesh/certificate.ts";
import { systemClock } from "../agent/system/clock.ts";
import { systemFiles } from "../agent/system/files.ts";
import { silentLog } from "../agent/system/log.ts";
import { SystemRandom } from "../agent/system/random.ts";
import { ControlPlaneFixture, subscribe } from "../test/support/control_plane_fixture.ts";
import { until } from "../test/support/until.ts";
import { CertificateAuthority } from "./certificate_authority.ts";
import { ControlPlane } from "./control_plane.ts";
import { GrpcListenError, StateFileError } from "./errors.ts";

const service = (name: string, address: string) =>
  `kind: Service\nmetadata: { name: ${name}, namespace: ns1 }\nspec: { clusterIP: ${address} }\n---\n`;
const database = (name: string) =>
  `kind: ServiceEntry\nmetadata: { name: ${name}, namespace: ns1 }\n` +
  `spec: { hosts: [${name}.example.org], resolution: DNS, ports: [{ number: 3306, name: tcp, protocol: TCP }] }\n---\n`;

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
  await using fixture = await ControlPlaneFixture.make();
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
  await using fixture = await ControlPlaneFixture.make();
  const pair = await fixture.join("vm");
  const { key, csr } = await makeSigningRequest("spiffe://x/ns/y/sa/z");
  const { chain, error } = await fixture.sign(fixture.client(pair), csr);
  assert.equal(error, undefined);
  const root = await Deno.readTextFile(fixture.plane.rootCertificatePath);
  const verdict = await judgeChain(chain, { roots: [root], key, nowMs: Date.now() });
  assert.equal(verdict.identity, "spiffe://cluster.local/ns/vm/sa/vm-sa");
});

test("signs for nobody else, and says why", async () => {
  await using fixture = await ControlPlaneFixture.make();
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
  const chain = [
    await other.signNode(await other.readRequest(rogue.csr), { identity, lifeMs: 3_600_000 }),
  ];
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
  await using fixture = await ControlPlaneFixture.make();
  const token = await fixture.token();
  const state = `${fixture.directory.path}/state`;
  const [{ name }] = await Array.fromAsync(Deno.readDir(`${state}/join-tokens`));
  for (const file of [`join-tokens/${name}`, "ca.pem"]) {
    assert.equal((await Deno.stat(`${state}/${file}`)).mode! & 0o777, 0o600, file);
  }
  const kept = name + await Deno.readTextFile(`${state}/join-tokens/${name}`);
  assert.ok(!kept.includes(token.slice(4)));
  assert.doesNotMatch(await Deno.readTextFile(`${state}/root-cert.pem`), /PRIVATE/);
});

test("signs one key for a token, as often as it asks, also after a restart", async () => {
  await using fixture = await ControlPlaneFixture.make();
  const [one, two] = [
    await makeSigningRequest("spiffe://a"),
    await makeSigningRequest("spiffe://a"),
  ];
  const token = await fixture.token();
  // What cannot be signed costs no use.
  assert.equal((await fixture.sign(fixture.client(), "hello", token)).error?.code, 3);
  for (let i = 0; i < 2; i++) {
    assert.equal((await fixture.sign(fixture.client(), one.csr, token)).error, undefined);
    const { error } = await fixture.sign(fixture.client(), two.csr, token);
    assert.equal(error?.code, 16);
    assert.match(error!.details, /the token is spent: it is good for one machine/);
    await fixture.stop();
    await fixture.start();
  }
});

test("pushes the table of the caller's namespace, whatever its node says", async () => {
  const annotated = (exportTo: string) =>
    service("secret", "10.0.0.9").replace(
      "namespace: ns1",
      `namespace: ns1, annotations: { networking.istio.io/exportTo: "${exportTo}" }`,
    );
  await using fixture = await ControlPlaneFixture.make({
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
  await using fixture = await ControlPlaneFixture.make();
  const { state } = subscribe(fixture.client());
  await until(() => state.error !== undefined, "a refusal");
  assert.equal(state.error!.code, 16);
  // A token is for joining.
  const byToken = subscribe(fixture.client(), { token: await fixture.token() });
  await until(() => byToken.state.error !== undefined, "a refusal");
  assert.match(byToken.state.error!.details, /no client certificate was shown/);
});

test("pushes an edit within a second, one push at a time, and nothing without a change", async () => {
  await using fixture = await ControlPlaneFixture.make({ "a.yaml": service("a", "10.0.0.1") });
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
  await using fixture = await ControlPlaneFixture.make({
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
  await using fixture = await ControlPlaneFixture.make({
    "db.yaml": database("db1") + database("db2"),
  });
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
  await using fixture = await ControlPlaneFixture.make({ "db.yaml": database("db1") });
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
  await using fixture = await ControlPlaneFixture.make();
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
