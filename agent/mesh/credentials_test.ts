import "reflect-metadata";
import { Pkcs10CertificateRequest } from "@peculiar/x509";
import assert from "node:assert/strict";
import { FakeControlPlane } from "../../test/support/fake_control_plane.ts";
import { testMeshClient } from "../../test/support/mesh_client_fixture.ts";
import { vouchedRoots } from "./certificate.ts";

const HOUR_MS = 3_600_000;

testMeshClient(
  "renews by certificate between 50 and 80 % of its life, also with an expired token",
  async (fixture) => {
    const { plane } = fixture;
    await fixture.start();
    await fixture.until(
      () => plane.certificateRequests.length === 1 && fixture.certificate.state === "valid",
      "a certificate",
    );
    plane.tokens.clear();
    const before = fixture.certificate;
    const lifeMs = 24 * HOUR_MS;
    // FixedRandom(0.5): 65 % of the life.
    const renewInMs = Date.parse(before.renewAt) - fixture.clock.wallMs();
    assert.ok(Math.abs(renewInMs - 0.65 * lifeMs) < 5_000, `${renewInMs / HOUR_MS} h`);
    await fixture.clock.advance(0.6 * lifeMs);
    assert.equal(plane.certificateRequests.length, 1);
    await fixture.clock.advance(0.06 * lifeMs);
    await fixture.until(() => fixture.certificate.expiresAt !== before.expiresAt, "a renewal");
    assert.deepEqual(plane.certificateRequests[1], { token: "", certificate: true });
    assert.equal(fixture.certificate.state, "valid");
  },
);

testMeshClient(
  "renews a certificate of a short life no more often than others",
  async (fixture) => {
    const { plane } = fixture;
    // Its start lies two minutes before its issue: longer than it will live.
    plane.lifeMs = 20_000;
    await fixture.start();
    await fixture.until(() => fixture.certificate.state === "valid", "a certificate");
    await fixture.clock.advance(10_000);
    assert.equal(plane.certificateRequests.length, 1);
    await fixture.clock.advance(4_000);
    await fixture.until(() => plane.certificateRequests.length === 2, "a renewal");
  },
);

testMeshClient(
  "shows no certificate that expired while it was off, and says what is gone",
  async (fixture) => {
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
    assert.doesNotMatch(
      JSON.stringify(fixture.client.status()),
      new RegExp(expiredJwt.slice(2, 20)),
    );
    // Names go on being served, from the disk.
    assert.equal(fixture.pushes.at(-1)!.origin, "disk");
    // A fresh token is taken up without a restart.
    await directory.write("token", "good-token");
    await fixture.until(() => fixture.certificate.state === "valid", "a new certificate", 1_000);
    await fixture.until(() => fixture.problems.length === 0, "no more problems");
  },
);

testMeshClient("falls back to the token where renewal is refused", async (fixture) => {
  const { plane } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate");
  plane.refuseCertificates = true;
  await fixture.clock.advance(17 * HOUR_MS);
  const renewals = () => plane.certificateRequests.slice(1);
  await fixture.until(() => renewals().some(({ token }) => token !== ""), "a request by token");
  // Hours pass while a request is on its way: the one by certificate may be made more than once.
  const byToken = renewals().findIndex(({ token }) => token !== "");
  assert.ok(byToken > 0 && renewals().slice(0, byToken).every(({ certificate }) => certificate));
  assert.deepEqual(renewals()[byToken], { token: "good-token", certificate: false });
});

testMeshClient("shows no certificate that the roots of now do not vouch for", async (fixture) => {
  const { plane, directory } = fixture;
  await fixture.start();
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate");
  await fixture.stop();
  await using other = await FakeControlPlane.start(fixture.clock);
  await directory.write("root.pem", other.authority.rootCertificate);
  const addresses = [other.address];
  await fixture.start({
    controlPlane: {
      ...fixture.controlPlane,
      addresses,
    },
  });
  await fixture.until(() => fixture.certificate.state === "valid", "a certificate of the other");
  assert.deepEqual(other.certificateRequests[0], { token: "good-token", certificate: false });
  assert.equal(plane.certificateRequests.length, 1);
});

testMeshClient(
  "trusts no control plane that its roots do not vouch for, and takes up a corrected root file",
  async (fixture) => {
    const { plane, directory } = fixture;
    await using other = await FakeControlPlane.start(fixture.clock);
    await directory.write("root.pem", other.authority.rootCertificate);
    await fixture.start();
    await fixture.until(() => fixture.problems.includes("CONTROL_PLANE_UNTRUSTED"), "the problem");
    assert.equal(plane.certificateRequests.length, 0);
    await directory.write("root.pem", plane.authority.rootCertificate);
    await fixture.until(() => fixture.certificate.state === "valid", "a certificate", 1_000);
  },
);

testMeshClient("says which file is missing, empty or damaged", async (fixture) => {
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

testMeshClient("uses the identity that it is given, and says that it differs", async (fixture) => {
  fixture.plane.identity = "spiffe://cluster.local/ns/other/sa/other";
  await fixture.start();
  await fixture.until(() => fixture.problems.includes("IDENTITY_DIFFERS"), "the problem");
  assert.equal(fixture.certificate.identity, "spiffe://cluster.local/ns/other/sa/other");
  assert.equal(fixture.certificate.state, "valid");
});

testMeshClient("refuses a certificate of a root that nobody vouches for", async (fixture) => {
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

testMeshClient("is not kept busy by other files beside its token", async (fixture) => {
  const { plane, directory } = fixture;
  plane.tokens.clear();
  await fixture.start();
  await fixture.until(() => fixture.problems.includes("TOKEN_REFUSED"), "the refusal");
  const before = plane.certificateRequests.length;
  for (let i = 0; i < 20; i++) {
    await directory.write("busy.log", "x".repeat(i));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await fixture.clock.advance(10);
  }
  assert.equal(plane.certificateRequests.length, before);
});

/** The public keys of those who joined. */
const joinKeys = (plane: FakeControlPlane) =>
  plane.joinRequests.map((csr) => new Pkcs10CertificateRequest(csr).publicKey.toString("base64"));

testMeshClient(
  "asks with the same key until it has an answer, also after a restart",
  async (fixture) => {
    const { plane, directory } = fixture;
    plane.losesAnswers = true;
    await fixture.start();
    await fixture.until(() => plane.joinRequests.length >= 2, "two tries", 1_000);
    await fixture.stop();
    const tries = plane.joinRequests.length;
    await fixture.start();
    await fixture.until(() => plane.joinRequests.length > tries, "a try after the restart", 1_000);
    plane.losesAnswers = false;
    await fixture.until(() => fixture.certificate.state === "valid", "a certificate", 1_000);
    assert.equal(new Set(joinKeys(plane)).size, 1);
    // Joined: the next time it is another one.
    await fixture.stop();
    const names = await Array.fromAsync(
      Deno.readDir(`${directory.path}/state`),
      ({ name }) => name,
    );
    assert.ok(!names.includes("join-key.json"), `${names}`);
    await Deno.remove(`${directory.path}/state/credentials.json`);
    await fixture.start();
    await fixture.until(
      () => new Set(joinKeys(plane)).size === 2,
      "another key",
      1_000,
    );
  },
);
