/**
 * The files of a CA that istiod is given ("plugged in"): a root, and a certificate below it that signs.
 *
 * @module
 */
import "reflect-metadata";
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const LIFE_MS = 24 * 3_600_000;

/** A CA. */
export interface PluggedInCa {
  /** PEM of the root. */
  root: string;
  /** PEM of the certificate that signs. */
  certificate: string;
  /** PEM (PKCS#8) of its key. */
  key: string;
}

/** Makes one. */
export async function makePluggedInCa(name: string): Promise<PluggedInCa> {
  const root = await issue(`O=Test, CN=${name} root`);
  const signing = await issue(`O=Test, CN=${name}`, root);
  return {
    root: `${root.certificate.toString("pem")}\n`,
    certificate: `${signing.certificate.toString("pem")}\n`,
    key: `${
      x509.PemConverter.encode(
        await crypto.subtle.exportKey("pkcs8", signing.keys.privateKey),
        "PRIVATE KEY",
      )
    }\n`,
  };
}

/**
 * Writes istiod's `ROOT_CA_DIR`.
 *
 * @param roots PEM of what shall be trusted; the CA's own among them
 */
export async function writePluggedInCa(
  folder: string,
  ca: PluggedInCa,
  roots: readonly string[],
): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const files = {
    "root-cert.pem": roots.join(""),
    "ca-key.pem": ca.key,
    "cert-chain.pem": ca.certificate + ca.root,
    "ca-cert.pem": ca.certificate,
  };
  for (const [name, content] of Object.entries(files)) {
    await Deno.writeTextFile(`${folder}/${name}`, content, { mode: 0o600 });
  }
}

interface Issued {
  certificate: x509.X509Certificate;
  keys: CryptoKeyPair;
}

async function issue(name: string, issuer?: Issued): Promise<Issued> {
  const keys = await crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: crypto.randomUUID().replaceAll("-", "").replace(/^./, "4"),
    subject: name,
    issuer: issuer?.certificate.subject ?? name,
    notBefore: new Date(Date.now() - 3_600_000),
    notAfter: new Date(Date.now() + LIFE_MS),
    signingAlgorithm: ALGORITHM,
    signingKey: (issuer?.keys ?? keys).privateKey,
    publicKey: keys.publicKey,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ...issuer ? [await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey)] : [],
    ],
  });
  return { certificate, keys };
}
