/**
 * istiod's certificate service: signs the requests of callers that are known.
 *
 * @module
 */
import { type handleUnaryCall, status } from "@grpc/grpc-js";
import { spiffeIdOf } from "../agent/mesh/node_identity.ts";
import type { CertificateRequest, CertificateResponse } from "../agent/mesh/protocol.ts";
import { messageOf } from "../agent/system/agent_error.ts";
import type { Logger } from "../agent/system/log.ts";
import { identifyCaller } from "./caller_identity.ts";
import type { CertificateAuthority } from "./certificate_authority.ts";
import { CsrError } from "./errors.ts";
import type { JoinTokens } from "./join_tokens.ts";

/** What the service needs. */
export interface CertificateServiceOptions {
  /** Signs. */
  authority: CertificateAuthority;
  /** Knows who may join. */
  tokens: JoinTokens;
  /** E.g. `cluster.local`. */
  trustDomain: string;
  /** One line a certificate. */
  log: Logger;
}

/** The handler of `CreateCertificate`. */
export function createCertificateHandler(
  options: CertificateServiceOptions,
): handleUnaryCall<CertificateRequest, CertificateResponse> {
  const { authority, tokens, trustDomain, log } = options;
  return async (call, reply) => {
    try {
      // A request that cannot be signed costs no use of a token; who shows a bad token hears of that first.
      const request = await authority.readRequest(call.request.csr).catch((error) =>
        error as Error
      );
      const publicKey = request instanceof Error ? undefined : request.publicKeySha256;
      const caller = await identifyCaller(call, {
        redeem: (token) => tokens.redeem(token, publicKey),
        trustDomain,
      });
      if (caller.kind === "unknown") {
        log.warn("A certificate was refused", { peer: call.getPeer(), reason: caller.reason });
        reply({ code: status.UNAUTHENTICATED, details: caller.reason });
        return;
      }
      if (request instanceof Error) throw request;
      const identity = spiffeIdOf({ ...caller.workload, trustDomain });
      const lifeMs = Number(call.request.validityDuration) * 1000;
      const leaf = await authority.signNode(request, { identity, lifeMs });
      log.info("A certificate was signed", { identity, peer: call.getPeer(), by: caller.by });
      reply(null, { certChain: [leaf, authority.rootCertificate] });
    } catch (error) {
      const code = error instanceof CsrError ? status.INVALID_ARGUMENT : status.INTERNAL;
      log.error("A certificate could not be signed", { reason: messageOf(error) });
      reply({ code, details: messageOf(error) });
    }
  };
}
