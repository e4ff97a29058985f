/**
 * The control plane's own certificate authority: a P-256 root kept on disk, short-lived SPIFFE
 * certificates for nodes, and the certificate that the control plane itself shows.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { isIP } from "node:net";
import { join } from "node:path";
import type { Pkcs10CertificateRequest, PublicKey, X509Certificate } from "@peculiar/x509";
import { x509 } from "../agent/mesh/x509.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import type { Clock } from "../agent/system/clock.ts";
import type { Files } from "../agent/system/files.ts";
import type { Random } from "../agent/system/random.ts";
import { CsrError, StateFileError } from "./errors.ts";

/** A certificate with its key, PEM. */
export interface KeyPair {
  /** Certificate. */
  certificate: string;
  /** PKCS#8 key. */
  key: string;
}

/** What a {@link CertificateAuthority} needs. */
export interface CertificateAuthorityOptions {
  /** Dates certificates. */
  clock: Clock;
  /** Makes serial numbers. */
  random: Random;
  /** Keeps the root. */
  files: Files;
  /** Folder of the root. */
  stateDir: string;
  /** E.g. `cluster.local`. */
  trustDomain: string;
}

/** The key of a node that asks for a certificate. */
export interface NodeRequest {
  /** The key. */
  publicKey: PublicKey;
  /** Names it. */
  publicKeySha256: string;
}

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Life of the root: it is replaced by hand. */
const ROOT_LIFE_MS = 10 * 365 * DAY_MS;
/** Life of the control plane's own certificate, which is made anew at each start. */
const SERVER_LIFE_MS = 365 * DAY_MS;
/** The longest life of a node's certificate, whatever it asks for: istiod's default. */
export const NODE_LIFE_MAX_MS: number = DAY_MS;
/** How far certificates reach back, for clocks that are behind: as istiod does. */
const BACKDATE_MS = 2 * 60_000;

const ROOT_FILE = "ca.pem";

/** Signs certificates. */
export class CertificateAuthority {
  readonly #options: CertificateAuthorityOptions;
  readonly #root: X509Certificate;
  readonly #key: CryptoKey;

  private constructor(
    options: CertificateAuthorityOptions,
    root: X509Certificate,
    key: CryptoKey,
  ) {
    this.#options = options;
    this.#root = root;
    this.#key = key;
  }

  /**
   * Opens the authority of a folder, and makes one where there is none. Key and certificate are one
   * file, so that no crash can part them.
   *
   * @throws {StateFileError} when the file is there and not usable: it is never replaced on its own,
   * since every agent trusts the root in it
   */
  static async open(options: CertificateAuthorityOptions): Promise<CertificateAuthority> {
    const path = join(options.stateDir, ROOT_FILE);
    if (await options.files.stat(path) === undefined) {
      const pem = await makeRoot(options);
      await options.files.writeAtomic(path, pem, { mode: 0o600 });
    }
    try {
      const pem = await options.files.readText(path);
      const root = new x509.X509Certificate(pemBlock(pem, "CERTIFICATE"));
      const key = await crypto.subtle.importKey(
        "pkcs8",
        x509.PemConverter.decodeFirst(pemBlock(pem, "PRIVATE KEY")),
        KEY_ALGORITHM,
        false,
        ["sign"],
      );
      if (root.notAfter.getTime() <= options.clock.wallMs()) {
        throw new Error(`the root certificate expired at ${root.notAfter.toISOString()}`);
      }
      return new CertificateAuthority(options, root, key);
    } catch (cause) {
      throw new StateFileError(path, {
        reason: messageOf(cause),
        remedy:
          "Restore it from a backup. To start over with a new root, which every agent must then " +
          "be given, move it away.",
        cause,
      });
    }
  }

  /** The root certificate, PEM. */
  get rootCertificate(): string {
    return `${this.#root.toString("pem")}\n`;
  }

  /**
   * Reads a node's request, of which only the public key is used.
   *
   * @param csr PKCS#10, PEM
   * @throws {CsrError} when it is none, or not signed by its own key
   */
  async readRequest(csr: string): Promise<NodeRequest> {
    let request: Pkcs10CertificateRequest;
    try {
      request = new x509.Pkcs10CertificateRequest(csr);
    } catch (cause) {
      throw new CsrError("it is not a PKCS#10 request in PEM", cause);
    }
    if (!await request.verify().catch(() => false)) {
      throw new CsrError("it is not signed by the key that it holds");
    }
    const { publicKey } = request;
    const publicKeySha256 = createHash("sha256").update(new Uint8Array(publicKey.rawData))
      .digest("hex");
    return { publicKey, publicKeySha256 };
  }

  /** Signs a node's key, PEM: the identity is the caller's. */
  async signNode(
    request: NodeRequest,
    options: { identity: string; lifeMs: number },
  ): Promise<string> {
    const lifeMs = options.lifeMs > 0
      ? Math.min(options.lifeMs, NODE_LIFE_MAX_MS)
      : NODE_LIFE_MAX_MS;
    return await this.#issue(request.publicKey, {
      names: [{ type: "url", value: options.identity }],
      lifeMs,
      usages: [x509.ExtendedKeyUsage.clientAuth, x509.ExtendedKeyUsage.serverAuth],
    });
  }

  /** Makes the control plane's own key and certificate for DNS names and IP literals. */
  async makeServerPair(names: readonly string[]): Promise<KeyPair> {
    const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
    const certificate = await this.#issue(keys.publicKey, {
      names: names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value })),
      lifeMs: SERVER_LIFE_MS,
      usages: [x509.ExtendedKeyUsage.serverAuth],
    });
    return { certificate, key: await pemOfKey(keys.privateKey) };
  }

  async #issue(
    publicKey: PublicKey | CryptoKey,
    { names, lifeMs, usages }: {
      names: { type: "url" | "dns" | "ip"; value: string }[];
      lifeMs: number;
      usages: string[];
    },
  ): Promise<string> {
    const nowMs = this.#options.clock.wallMs();
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serialNumber(this.#options.random),
      subject: "",
      issuer: this.#root.subject,
      notBefore: new Date(nowMs - BACKDATE_MS),
      notAfter: new Date(nowMs + lifeMs),
      signingAlgorithm: KEY_ALGORITHM,
      signingKey: this.#key,
      publicKey,
      extensions: [
        // Critical, since the subject is empty (RFC 5280 section 4.2.1.6, SPIFFE X509-SVID section 4.1).
        new x509.SubjectAlternativeNameExtension(names, true),
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension(usages),
        await x509.AuthorityKeyIdentifierExtension.create(this.#root.publicKey),
      ],
    });
    return `${certificate.toString("pem")}\n`;
  }
}

async function makeRoot(options: CertificateAuthorityOptions): Promise<string> {
  const keys = await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"]);
  const nowMs = options.clock.wallMs();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(options.random),
    name: `O=${options.trustDomain}, CN=outrigger control plane`,
    notBefore: new Date(nowMs - BACKDATE_MS),
    notAfter: new Date(nowMs + ROOT_LIFE_MS),
    signingAlgorithm: KEY_ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return `${root.toString("pem")}\n${await pemOfKey(keys.privateKey)}`;
}

async function pemOfKey(key: CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey("pkcs8", key);
  return `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`;
}

/** 128 random bits, positive (RFC 5280 section 4.1.2.2), as hexadecimal digits. */
function serialNumber(random: Random): string {
  const bytes = random.bytes(16);
  bytes[0] = bytes[0] & 0x7f | 0x40;
  return [...bytes].map((octet) => octet.toString(16).padStart(2, "0")).join("");
}

function pemBlock(text: string, label: string): string {
  const block = new RegExp(`-----BEGIN ${label}-----[^-]+-----END ${label}-----`).exec(text);
  if (block === null) throw new Error(`it holds no ${label}`);
  return block[0];
}
