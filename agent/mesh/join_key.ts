/**
 * The key that a node joins with, the same at every try until it has a certificate: an answer that was
 * lost is asked for again, and a token may be good for one key.
 *
 * @module
 */
import { type CertificateSigningRequest, makeSigningRequest } from "./certificate.ts";
import type { CredentialStore } from "./credential_store.ts";

/** The key of one node. */
export class JoinKey {
  readonly #store: CredentialStore;
  #key: string | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(store: CredentialStore) {
    this.#store = store;
  }

  /** A request with it; it is made where there is none. */
  async request(spiffeId: string): Promise<CertificateSigningRequest> {
    const kept = this.#key ?? await this.#store.loadJoinKey();
    // One that cannot be used is replaced.
    const request = await makeSigningRequest(spiffeId, { key: kept })
      .catch(() => makeSigningRequest(spiffeId));
    if (request.key === kept) return request;
    this.#key = request.key;
    // It stays in memory where the disk is what is wrong; the certificate will tell of that.
    await this.#store.saveJoinKey(request.key).catch(() => {});
    return request;
  }

  /** Forgets it; the node has joined. */
  forget(): void {
    this.#key = undefined;
  }
}
