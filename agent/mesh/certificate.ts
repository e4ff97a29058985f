/**
 * Keys, requests and certificates: making the first two, and judging the third. Knows nothing of files
 * or peers.
 *
 * @peculiar/x509 takes 50 ms to load: it is loaded when first needed, since most commands never do.
 *
 * @module
 */
import type { X509Certificate } from "@peculiar/x509";

/** A key with a request for a certificate. */
export interface CertificateSigningRequest {
  /** PKCS#8, PEM. It never leaves this machine. */
  key: string;
  /** PKCS#10, PEM. */
  csr: string;
}

/** What a certificate chain is worth. */
export interface CertificateVerdict {
  /** `unverifiable`: no trusted root vouches for it, or it does not belong to the key. */
  state: "valid" | "expired" | "unverifiable";
  /** The SPIFFE id in it; empty where there is none. */
  identity: string;
  /** Start of its life, milliseconds since 1970. */
  notBeforeMs: number;
  /** End of its life. */
  notAfterMs: number;
  /** Why it is not valid; empty where it is. */
  reason: string;
}

const KEY_ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** The longest chain that is followed, the root included. */
const CHAIN_MAX = 8;

async function library() {
  const { x509 } = await import("./x509.ts");
  return x509;
}

/**
 * Makes a request with the SPIFFE id as its only name.
 *
 * @param options `key`: PKCS#8, PEM; a P-256 key is made unless given
 * @throws when the key is none
 */
export async function makeSigningRequest(
  spiffeId: string,
  { key }: { key?: string } = {},
): Promise<CertificateSigningRequest> {
  const x509 = await library();
  const keys = key === undefined
    ? await crypto.subtle.generateKey(KEY_ALGORITHM, true, ["sign", "verify"])
    : await importKeys(x509.PemConverter.decodeFirst(key));
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: "url", value: spiffeId }], true),
    ],
  });
  const der = await crypto.subtle.exportKey("pkcs8", keys.privateKey);
  return {
    key: `${x509.PemConverter.encode(der, "PRIVATE KEY")}\n`,
    csr: `${request.toString("pem")}\n`,
  };
}

/** A private key with its public one, which PKCS#8 may leave out. */
async function importKeys(pkcs8: ArrayBuffer): Promise<CryptoKeyPair> {
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, KEY_ALGORITHM, true, ["sign"]);
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", privateKey);
  const jwk = { kty, crv, x, y };
  const publicKey = await crypto.subtle.importKey("jwk", jwk, KEY_ALGORITHM, true, ["verify"]);
  return { privateKey, publicKey };
}

/** The single certificates of PEM texts, each of which may hold several. */
export function splitPem(texts: readonly string[]): string[] {
  return texts.flatMap((text) =>
    [...text.matchAll(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)]
      .map(([pem]) => `${pem}\n`)
  );
}

/**
 * Judges a chain.
 *
 * @param chain PEM, the leaf first
 * @param options `roots`: PEM of the trusted ones; `key`: PKCS#8 PEM that the leaf must belong to
 */
export async function judgeChain(
  chain: readonly string[],
  options: { roots: readonly string[]; key: string; nowMs: number },
): Promise<CertificateVerdict> {
  const x509 = await library();
  const unverifiable = (reason: string, leaf?: X509Certificate): CertificateVerdict => ({
    state: "unverifiable",
    identity: leaf === undefined ? "" : identityOf(leaf),
    notBeforeMs: leaf?.notBefore.getTime() ?? 0,
    notAfterMs: leaf?.notAfter.getTime() ?? 0,
    reason,
  });
  let certificates: X509Certificate[];
  let roots: X509Certificate[];
  try {
    certificates = splitPem(chain).map((pem) => new x509.X509Certificate(pem));
    roots = splitPem(options.roots).map((pem) => new x509.X509Certificate(pem));
  } catch (error) {
    return unverifiable(`not a certificate: ${(error as Error).message}`);
  }
  const [leaf, ...intermediates] = certificates;
  if (leaf === undefined) return unverifiable("no certificate");
  if (!await belongsTo(leaf, options.key)) return unverifiable("it is for another key", leaf);
  if (identityOf(leaf) === "") return unverifiable("it names no SPIFFE id", leaf);
  if (!await isVouchedFor(leaf, { intermediates, roots, nowMs: options.nowMs })) {
    return unverifiable("no trusted root vouches for it", leaf);
  }
  const judged = {
    identity: identityOf(leaf),
    notBeforeMs: leaf.notBefore.getTime(),
    notAfterMs: leaf.notAfter.getTime(),
  };
  if (options.nowMs >= judged.notAfterMs) {
    const reason = `it expired at ${leaf.notAfter.toISOString()}`;
    return { ...judged, state: "expired", reason };
  }
  return { ...judged, state: "valid", reason: "" };
}

/**
 * The certificates among `candidates` that one of `roots` has signed for issuing others: how an old root
 * vouches for a new one. One that merely came along with an answer is not among them.
 */
export async function vouchedRoots(
  candidates: readonly string[],
  { roots, nowMs }: { roots: readonly string[]; nowMs: number },
): Promise<string[]> {
  const x509 = await library();
  const trusted = splitPem(roots).map((pem) => new x509.X509Certificate(pem));
  const vouched: string[] = [];
  for (const pem of splitPem(candidates)) {
    const candidate = new x509.X509Certificate(pem);
    if (!isAuthority(candidate) || trusted.some((root) => root.equal(candidate))) continue;
    if (await isVouchedFor(candidate, { intermediates: [], roots: trusted, nowMs })) {
      vouched.push(pem);
    }
  }
  return vouched;
}

async function isVouchedFor(
  certificate: X509Certificate,
  { intermediates, roots, nowMs }: {
    intermediates: X509Certificate[];
    roots: X509Certificate[];
    nowMs: number;
  },
): Promise<boolean> {
  let current = certificate;
  for (let length = 1; length < CHAIN_MAX; length++) {
    if (await issuerOf(current, roots, nowMs) !== undefined) return true;
    const next = await issuerOf(current, intermediates, nowMs);
    if (next === undefined || next.equal(current)) return false;
    current = next;
  }
  return false;
}

async function issuerOf(
  certificate: X509Certificate,
  candidates: X509Certificate[],
  nowMs: number,
): Promise<X509Certificate | undefined> {
  for (const candidate of candidates) {
    const isCurrent = candidate.notBefore.getTime() <= nowMs &&
      nowMs < candidate.notAfter.getTime();
    if (candidate.subject !== certificate.issuer || !isCurrent || !isAuthority(candidate)) continue;
    const publicKey = candidate.publicKey;
    const signed = await certificate.verify({ publicKey, signatureOnly: true }).catch(() => false);
    if (signed) return candidate;
  }
  return undefined;
}

/** The object identifier of the basic constraints extension (RFC 5280 section 4.2.1.9). */
const BASIC_CONSTRAINTS = "2.5.29.19";
/** The object identifier of the subject alternative name extension (RFC 5280 section 4.2.1.6). */
const SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";

function isAuthority(certificate: X509Certificate): boolean {
  const constraints = certificate.getExtension(BASIC_CONSTRAINTS) as { ca?: boolean } | null;
  return constraints?.ca === true;
}

/** The one URI that is a SPIFFE id (X509-SVID section 2: exactly one). */
function identityOf(certificate: X509Certificate): string {
  const extension = certificate.getExtension(SUBJECT_ALTERNATIVE_NAME) as {
    names?: { items: { type: string; value: string }[] };
  } | null;
  const uris = extension?.names?.items.filter(({ type }) => type === "url") ?? [];
  return uris.length === 1 && uris[0].value.startsWith("spiffe://") ? uris[0].value : "";
}

/** Whether a certificate holds the public half of a key: what one signs the other must verify. */
async function belongsTo(certificate: X509Certificate, keyPem: string): Promise<boolean> {
  const x509 = await library();
  try {
    const der = x509.PemConverter.decodeFirst(keyPem);
    const key = await crypto.subtle.importKey("pkcs8", der, KEY_ALGORITHM, false, ["sign"]);
    const challenge = new TextEncoder().encode("outrigger");
    const signature = await crypto.subtle.sign(KEY_ALGORITHM, key, challenge);
    const publicKey = await certificate.publicKey.export(KEY_ALGORITHM, ["verify"]);
    return await crypto.subtle.verify(KEY_ALGORITHM, publicKey, signature, challenge);
  } catch {
    return false;
  }
}
