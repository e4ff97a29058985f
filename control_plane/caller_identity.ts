/**
 * Who calls: by the client certificate of the connection, else, where a node joins, by its token.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { type Metadata, ServerCredentials } from "@grpc/grpc-js";
import type { KeyPair } from "./certificate_authority.ts";
import type { TokenVerdict, Workload } from "./join_tokens.ts";

/** What a call shows of its caller. */
export interface CallCredentials {
  /** Its headers. */
  metadata: Metadata;
  /** What the transport knows of the client's certificate. */
  getAuthContext(): { sslPeerCertificate?: { subjectaltname?: string } };
}

/** Who calls, or why nobody knows. */
export type CallerIdentity =
  | { kind: "known"; workload: Workload; by: "certificate" | "token" }
  | { kind: "unknown"; reason: string };

/**
 * Finds out who calls.
 *
 * @param options `redeem` takes the token of a caller without a certificate; without it tokens are no good
 */
export async function identifyCaller(
  call: CallCredentials,
  { redeem, trustDomain }: {
    redeem?: (token: string) => Promise<TokenVerdict>;
    trustDomain: string;
  },
): Promise<CallerIdentity> {
  const certificate = call.getAuthContext().sslPeerCertificate;
  if (certificate !== undefined) {
    const workload = workloadOf(certificate.subjectaltname ?? "", trustDomain);
    return workload === undefined
      ? { kind: "unknown", reason: "the client certificate names no workload of this trust domain" }
      : { kind: "known", workload, by: "certificate" };
  }
  if (redeem === undefined) return { kind: "unknown", reason: "no client certificate was shown" };
  const [authorization] = call.metadata.get("authorization");
  const token = /^Bearer (\S+)$/.exec(String(authorization ?? ""))?.[1];
  if (token === undefined) {
    return { kind: "unknown", reason: "neither a client certificate nor a token was shown" };
  }
  const verdict = await redeem(token);
  switch (verdict.kind) {
    case "valid":
      return { kind: "known", workload: verdict.workload, by: "token" };
    case "expired":
      return { kind: "unknown", reason: `the token expired at ${verdict.expiresAt}` };
    case "spent":
      return {
        kind: "unknown",
        reason: verdict.uses === 1
          ? "the token is spent: it is good for one machine, and one has joined with it"
          : `the token is spent: it is good for ${verdict.uses} machines, which have joined with it`,
      };
    case "unknown":
      return { kind: "unknown", reason: "the token is not known here" };
  }
}

/** The workload in the subject alternative names of a certificate, as node:tls writes them. */
function workloadOf(subjectAltName: string, trustDomain: string): Workload | undefined {
  const uris = subjectAltName.split(", ").filter((name) => name.startsWith("URI:"));
  if (uris.length !== 1) return undefined;
  const match = /^URI:spiffe:\/\/([^/]+)\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(uris[0]);
  if (match === null || match[1] !== trustDomain) return undefined;
  return { namespace: match[2], serviceAccount: match[3] };
}

/**
 * TLS that asks for a client certificate and goes on without one: a node that joins has none yet. A
 * certificate that does not verify counts as none, since `getAuthContext` shows verified ones alone.
 */
export function serverCredentials(
  { certificate, key }: KeyPair,
  rootCertificate: string,
): ServerCredentials {
  const credentials = ServerCredentials.createSsl(
    Buffer.from(rootCertificate),
    [{ private_key: Buffer.from(key), cert_chain: Buffer.from(certificate) }],
    true,
  );
  // createSsl knows "required" and "not asked for" alone, and its public way to "asked for"
  // (createCertificateProviderServerCredentials) needs a setSecureContext that this runtime lacks.
  const internals = credentials as unknown as { _getConstructorOptions(): object };
  const required = internals._getConstructorOptions();
  internals._getConstructorOptions = () => ({ ...required, rejectUnauthorized: false });
  return credentials;
}
