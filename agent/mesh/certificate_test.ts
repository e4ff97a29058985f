import "reflect-metadata";
import * as x509 from "@peculiar/x509";
import assert from "node:assert/strict";
import { judgeChain, makeSigningRequest, splitPem, vouchedRoots } from "./certificate.ts";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const NOW = Date.parse("2026-01-01T12:00:00Z");
const HOUR_MS = 3_600_000;
const ID = "spiffe://cluster.local/ns/vm/sa/vm-sa";

interface Authority {
  name: string;
  keys: CryptoKeyPair;
}

async function authority(name: string): Promise<Authority> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  return { name: `CN=${name}`, keys };
}

/** Signs `subject` as `issuer`, as an authority or a leaf. */
async function sign(
  issuer: Authority,
  subject: { name: string; publicKey: x509.PublicKey | CryptoKey },
  { ca, san = ID, lifeMs = HOUR_MS }: { ca: boolean; san?: string; lifeMs?: number },
): Promise<string> {
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: "01",
    subject: subject.name,
    issuer: issuer.name,
    notBefore: new Date(NOW - HOUR_MS),
    notAfter: new Date(NOW + lifeMs),
    signingAlgorithm: ALGORITHM,
    signingKey: issuer.keys.privateKey,
    publicKey: subject.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(ca, undefined, true),
      ...(san === ""
        ? []
        : [new x509.SubjectAlternativeNameExtension([{ type: "url", value: san }])]),
    ],
  });
  return `${certificate.toString("pem")}\n`;
}

const rootOf = (own: Authority) =>
  sign(own, { name: own.name, publicKey: own.keys.publicKey }, { ca: true, san: "" });

Deno.test("makeSigningRequest() asks for a P-256 certificate with the SPIFFE id alone", async () => {
  const { key, csr } = await makeSigningRequest(ID);
  const request = new x509.Pkcs10CertificateRequest(csr);
  assert.equal(await request.verify(), true);
  assert.equal(request.subject, "");
  assert.equal((request.publicKey.algorithm as { namedCurve?: string }).namedCurve, "P-256");
  const san = request.getExtension("2.5.29.17") as x509.SubjectAlternativeNameExtension;
  assert.deepEqual(san.names.toJSON(), [{ type: "url", value: ID }]);
  assert.match(key, /^-----BEGIN PRIVATE KEY-----/);
  assert.notEqual((await makeSigningRequest(ID)).key, key);
  const again = await makeSigningRequest(ID, { key });
  assert.equal(again.key, key);
  const repeated = new x509.Pkcs10CertificateRequest(again.csr);
  assert.equal(await repeated.verify(), true);
  assert.deepEqual(repeated.publicKey.rawData, request.publicKey.rawData);
  await assert.rejects(makeSigningRequest(ID, { key: "no key" }));
});

Deno.test("judgeChain() says what a chain is worth", async (t) => {
  const [root, other, middle] = await Promise.all(["root", "other", "middle"].map(authority));
  const { key, csr } = await makeSigningRequest(ID);
  const { publicKey } = new x509.Pkcs10CertificateRequest(csr);
  const leaf = (issuer: Authority, more = {}) =>
    sign(issuer, { name: "", publicKey }, { ca: false, ...more });
  const middlePem = await sign(root, { name: middle.name, publicKey: middle.keys.publicKey }, {
    ca: true,
    san: "",
  });
  const noAuthority = await sign(root, { name: middle.name, publicKey: middle.keys.publicKey }, {
    ca: false,
    san: "",
  });
  const elsewhere = await makeSigningRequest(ID);
  const cases: [string, string[], string, RegExp][] = [
    ["signed by the root", [await leaf(root)], "valid", /^$/],
    ["signed by one that the root signed", [await leaf(middle), middlePem], "valid", /^$/],
    ["without the one in between", [await leaf(middle)], "unverifiable", /no trusted root/],
    [
      "signed by one that may not sign",
      [await leaf(middle), noAuthority],
      "unverifiable",
      /no trusted root/,
    ],
    [
      "signed by another",
      [await leaf(other), await rootOf(other)],
      "unverifiable",
      /no trusted root/,
    ],
    ["expired", [await leaf(root, { lifeMs: -1 })], "expired", /it expired at 2026-01-01/],
    ["without an identity", [await leaf(root, { san: "" })], "unverifiable", /no SPIFFE id/],
    [
      "with another kind of URI",
      [await leaf(root, { san: "https://a.example" })],
      "unverifiable",
      /no SPIFFE id/,
    ],
    ["nothing", [], "unverifiable", /no certificate/],
    [
      "no certificate",
      ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----"],
      "unverifiable",
      /not a certificate/,
    ],
  ];
  const roots = [await rootOf(root)];
  for (const [title, chain, state, reason] of cases) {
    await t.step(title, async () => {
      const verdict = await judgeChain(chain, { roots, key, nowMs: NOW });
      assert.equal(verdict.state, state);
      assert.match(verdict.reason, reason);
      if (state === "valid") assert.equal(verdict.identity, ID);
    });
  }
  await t.step("for another key", async () => {
    const verdict = await judgeChain([await leaf(root)], { roots, key: elsewhere.key, nowMs: NOW });
    assert.deepEqual([verdict.state, verdict.reason], ["unverifiable", "it is for another key"]);
  });
});

Deno.test("vouchedRoots() takes a new root only from an old one's hand", async () => {
  const [old, fresh] = await Promise.all(["old", "fresh"].map(authority));
  const roots = [await rootOf(old)];
  const alone = await rootOf(fresh);
  const vouched = await sign(old, { name: fresh.name, publicKey: fresh.keys.publicKey }, {
    ca: true,
    san: "",
  });
  const forged = await sign(fresh, { name: fresh.name, publicKey: fresh.keys.publicKey }, {
    ca: true,
    san: "",
  });
  const leaf = await sign(old, { name: "", publicKey: fresh.keys.publicKey }, { ca: false });
  const found = await vouchedRoots([alone, vouched, forged, leaf, roots[0]], { roots, nowMs: NOW });
  assert.deepEqual(found, [vouched]);
  // What the old root vouched for verifies what the fresh one signs.
  const { key, csr } = await makeSigningRequest(ID);
  const { publicKey } = new x509.Pkcs10CertificateRequest(csr);
  const chain = [await sign(fresh, { name: "", publicKey }, { ca: false })];
  assert.equal(
    (await judgeChain(chain, { roots: [...roots, ...found], key, nowMs: NOW })).state,
    "valid",
  );
  assert.equal((await judgeChain(chain, { roots, key, nowMs: NOW })).state, "unverifiable");
});

Deno.test("splitPem() parts what stands in one text", async () => {
  const pem = await rootOf(await authority("a"));
  assert.deepEqual(splitPem([`# roots\n${pem}${pem}`, "", pem]), [pem, pem, pem]);
});
