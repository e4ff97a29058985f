/**
 * The node's credentials through their life: joined by token, kept on disk, renewed by certificate. Owns
 * which roots are trusted and which certificate may be shown.
 *
 * Rules: a certificate that expired or that no trusted root vouches for is never shown, since it fails
 * the handshake even beside a good token. The token's file is read at each use. A root that an answer
 * brings along is trusted only where a trusted one signed it.
 *
 * @module
 */
import { type Client, Metadata } from "@grpc/grpc-js";
import { messageOf } from "../system/agent_error.ts";
import { type Clock, sleep } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { Logger } from "../system/log.ts";
import type { Random } from "../system/random.ts";
import { backoffMs } from "./backoff.ts";
import {
  type CertificateVerdict,
  judgeChain,
  makeSigningRequest,
  splitPem,
  vouchedRoots,
} from "./certificate.ts";
import { channelError, isRefusal } from "./control_plane_channel.ts";
import { CredentialStore, type StoredCredentials } from "./credential_store.ts";
import { MeshError, type MeshProblem } from "./errors.ts";
import { JoinKey } from "./join_key.ts";
import { readToken, type TokenFile, tokenRefused } from "./join_token.ts";
import { spiffeIdOf } from "./node_identity.ts";
import { CREATE_CERTIFICATE } from "./protocol.ts";
import { readRoots } from "./trusted_roots.ts";
import { watchFiles } from "./watched_files.ts";

/** What a {@link CredentialManager} is made of. */
export interface CredentialManagerOptions {
  /** Dates and waits. */
  clock: Clock;
  /** Spreads renewals. */
  random: Random;
  /** The disk. */
  files: Files;
  /** Where it reports; never a token or a key. */
  log: Logger;
  /** Folder of the credentials. */
  stateDir: string;
  /** PEM file of the roots. */
  rootCertPath: string;
  /** File of the token. */
  tokenPath: string;
  /** Life asked for, in milliseconds. */
  certificateLifeMs: number;
  /** Who the node is to become. */
  workload: { trustDomain: string; namespace: string; serviceAccount: string };
  /** The cluster, for istiod's way to authenticate a token. */
  cluster: string;
  /** Opens a channel; each call may choose another address. */
  openChannel(
    options: { roots: readonly string[]; clientPair?: { key: string; chain: readonly string[] } },
  ): Promise<{ client: Client; address: string }>;
}

/** A certificate that may be shown, with its roots. */
export interface UsableCredentials {
  /** PKCS#8, PEM. */
  key: string;
  /** PEM, the leaf first. */
  chain: readonly string[];
  /** PEM of what the control plane is trusted by. */
  roots: readonly string[];
}

/** The certificate as status shows it. */
export interface CertificateStatus {
  /** What it is worth. */
  state: "none" | "valid" | "expired" | "unverifiable";
  /** SPIFFE id in it. */
  identity: string;
  /** RFC 3339; empty without one. */
  expiresAt: string;
  /** RFC 3339; empty without one. */
  renewAt: string;
}

/** The part of its life after which a certificate is renewed: a random point in between. */
const RENEW_BETWEEN = [0.5, 0.8] as const;
/** How often a certificate is judged anew, in milliseconds. */
const LOOK_AGAIN_MS = 600_000;
/** How long one request may take, in milliseconds. */
const REQUEST_TIMEOUT_MS = 15_000;

/** Keeps a usable certificate. */
export class CredentialManager {
  readonly #options: CredentialManagerOptions;
  readonly #store: CredentialStore;
  readonly #joinKey: JoinKey;
  #stored: StoredCredentials | undefined;
  #verdict: CertificateVerdict | undefined;
  #renewAtMs = 0;
  #problems = new Map<"store" | "obtain" | "identity", MeshProblem>();
  #waiters: (() => void)[] = [];
  #nudge = new AbortController();

  /** Wires the parts; does nothing yet. */
  constructor(options: CredentialManagerOptions) {
    this.#options = options;
    this.#store = new CredentialStore(options);
    this.#joinKey = new JoinKey(this.#store);
  }

  /** Loads what is on disk. Never throws: what is not usable is a problem. */
  async restore(): Promise<void> {
    if (await this.#store.dropForeign().catch(() => false)) {
      this.#options.log.warn(
        "This machine is a copy of another one: it joins anew, with a key of its own",
      );
    }
    const stored = await this.#store.load();
    if (typeof stored === "string") {
      this.#problem("store", {
        code: "CREDENTIALS_DAMAGED",
        message: stored,
        remedy: "The node joins anew with its token; nothing else is lost.",
      });
      return;
    }
    if (stored === undefined) return;
    this.#stored = stored;
    await this.#judge();
  }

  /** Joins and renews until `signal` is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, random, log, files, rootCertPath, tokenPath } = this.#options;
    watchFiles([rootCertPath, tokenPath], () => this.#nudge.abort(), { files, clock, signal });
    for (let failures = 0; !signal.aborted;) {
      try {
        const waitMs = this.#renewAtMs - clock.wallMs();
        if (this.#verdict?.state === "valid" && waitMs > 0) {
          // Not all at once: the wall clock may jump.
          await this.#nap(Math.min(waitMs, LOOK_AGAIN_MS), signal);
          await this.#judge();
          continue;
        }
        await this.#obtain();
        failures = 0;
      } catch (error) {
        if (signal.aborted) return;
        this.#report(error);
        await this.#judge().catch(() => {});
        const delayMs = backoffMs(failures++, random);
        log.debug("The next try for a certificate comes later", { delayMs: Math.round(delayMs) });
        await this.#nap(delayMs, signal);
      }
    }
  }

  /** Sleeps, but not past a change of the root file or the token. */
  async #nap(delayMs: number, signal: AbortSignal): Promise<void> {
    this.#nudge = new AbortController();
    const either = AbortSignal.any([signal, this.#nudge.signal]);
    await sleep(this.#options.clock, delayMs, either).catch(() => {});
  }

  /** What may be shown now; undefined while there is no valid certificate. */
  async usable(): Promise<UsableCredentials | undefined> {
    await this.#judge();
    if (this.#stored === undefined || this.#verdict?.state !== "valid") return undefined;
    const { key, chain } = this.#stored;
    return { key, chain, roots: await this.#roots() };
  }

  /** Resolves at the next certificate. @throws the signal's reason */
  next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const abort = () => reject(signal.reason);
      signal.addEventListener("abort", abort, { once: true });
      this.#waiters.push(() => {
        signal.removeEventListener("abort", abort);
        resolve();
      });
    });
  }

  /** The certificate as status shows it. */
  get certificate(): CertificateStatus {
    const verdict = this.#verdict;
    if (verdict === undefined) return { state: "none", identity: "", expiresAt: "", renewAt: "" };
    const date = (ms: number) => ms === 0 ? "" : new Date(ms).toISOString();
    const expired = verdict.state === "valid" &&
      this.#options.clock.wallMs() >= verdict.notAfterMs;
    return {
      state: expired ? "expired" : verdict.state,
      identity: verdict.identity,
      expiresAt: date(verdict.notAfterMs),
      renewAt: date(this.#renewAtMs),
    };
  }

  /** What is wrong now. */
  get problems(): MeshProblem[] {
    return [...this.#problems.values()];
  }

  /** Renews by certificate where one is valid, else joins by token; token too where renewal is refused. */
  async #obtain(): Promise<void> {
    const { files } = this.#options;
    const usable = await this.usable();
    const roots = usable?.roots ?? await this.#roots();
    if (usable !== undefined) {
      try {
        await this.#request({ roots, clientPair: usable });
        return;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        this.#options.log.warn("Renewal by certificate was refused; trying the token", {
          reason: messageOf(error),
        });
      }
    }
    await this.#request({ roots, token: await readToken(this.#tokenFile, files) });
  }

  async #request(
    { roots, clientPair, token }: {
      roots: readonly string[];
      clientPair?: UsableCredentials;
      token?: string;
    },
  ): Promise<void> {
    const { client, address } = await this.#options.openChannel({
      roots,
      ...(clientPair && { clientPair }),
    });
    try {
      const { key, csr } = token === undefined
        ? await makeSigningRequest(this.#spiffeId)
        : await this.#joinKey.request(this.#spiffeId);
      const chain = await this.#call(client, { csr, token, address });
      await this.#accept({ key, chain, roots });
    } finally {
      client.close();
    }
  }

  #call(
    client: Client,
    { csr, token, address }: { csr: string; token?: string; address: string },
  ): Promise<string[]> {
    const metadata = new Metadata();
    metadata.set("ClusterID", this.#options.cluster);
    if (token !== undefined) metadata.set("authorization", `Bearer ${token}`);
    const { path, requestSerialize, responseDeserialize } = CREATE_CERTIFICATE;
    return new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        { csr, validityDuration: Math.round(this.#options.certificateLifeMs / 1000) },
        metadata,
        (error, response) => {
          cancelTimeout();
          if (error === null) resolve(response?.certChain ?? []);
          else if (!isRefusal(error)) reject(channelError(address, error));
          else if (token === undefined) reject(error);
          else {
            const nowMs = this.#options.clock.wallMs();
            const { details } = error;
            reject(tokenRefused(token, { file: this.#tokenFile, details, nowMs }));
          }
        },
      );
      const cancelTimeout = this.#options.clock.schedule(REQUEST_TIMEOUT_MS, () => call.cancel());
    });
  }

  /** Takes a new certificate over, once it is known to be good. */
  async #accept({ key, chain, roots }: UsableCredentials): Promise<void> {
    const nowMs = this.#options.clock.wallMs();
    const pems = splitPem(chain);
    const vouched = await vouchedRoots(pems.slice(1), { roots, nowMs });
    const verdict = await judgeChain(pems, { roots: [...roots, ...vouched], key, nowMs });
    if (verdict.state !== "valid") {
      throw new MeshError(
        "CERTIFICATE_INVALID",
        `The control plane sent a certificate that is not usable: ${verdict.reason}`,
        {
          remedy:
            "Check that controlPlane.rootCert holds the mesh's current root certificate, and " +
            "that this VM's clock is right.",
        },
      );
    }
    const known = new Set([...this.#stored?.roots ?? [], ...vouched]);
    this.#stored = { key, chain: pems, roots: [...known] };
    this.#joinKey.forget();
    this.#adopt(verdict);
    // Not from its own start: that is before now by what the issuer allows clocks to differ, which
    // may be more than a short life.
    this.#planRenewal(nowMs);
    this.#problems.delete("obtain");
    this.#options.log.info("A certificate is in force", {
      identity: verdict.identity,
      expiresAt: new Date(verdict.notAfterMs).toISOString(),
    });
    await this.#keep(this.#stored);
  }

  async #keep(credentials: StoredCredentials): Promise<void> {
    try {
      await this.#store.save(credentials);
      this.#problems.delete("store");
    } catch (error) {
      this.#problem("store", {
        code: "STATE_NOT_WRITABLE",
        message:
          `The certificate cannot be kept: ${messageOf(error)}. It is used from memory, and ` +
          "lost at a restart",
        remedy: "Make stateDir writable for the agent's user, and see that the disk is not full.",
      });
    }
  }

  /** Judges the stored certificate anew, by the roots and the time of now. */
  async #judge(): Promise<void> {
    if (this.#stored === undefined) return;
    const { key, chain } = this.#stored;
    const roots = await this.#roots().catch(() => undefined);
    // Without its file of roots nothing can be judged: what was known stays, and the file is named.
    if (roots === undefined && this.#verdict !== undefined) return;
    const nowMs = this.#options.clock.wallMs();
    this.#adopt(await judgeChain(chain, { roots: roots ?? [], key, nowMs }));
  }

  #adopt(verdict: CertificateVerdict): void {
    const before = this.#verdict;
    const isNew = before?.notAfterMs !== verdict.notAfterMs || before?.state !== verdict.state;
    this.#verdict = verdict;
    if (isNew && verdict.state === "valid") this.#planRenewal(verdict.notBeforeMs);
    if (verdict.state === "valid") { for (const resolve of this.#waiters.splice(0)) resolve(); }
    if (verdict.identity === "" || verdict.identity === this.#spiffeId) {
      this.#problems.delete("identity");
    } else if (!this.#problems.has("identity")) {
      this.#problem("identity", {
        code: "IDENTITY_DIFFERS",
        message: `The control plane gave the identity "${verdict.identity}", not ` +
          `"${this.#spiffeId}" as configured; the given one is used`,
        remedy:
          "Set node.namespace, node.serviceAccount and node.trustDomain to what the token is for.",
      });
    }
  }

  /** Renews at a random point of the life that is left at `fromMs`. */
  #planRenewal(fromMs: number): void {
    const [from, to] = RENEW_BETWEEN;
    const part = from + (to - from) * this.#options.random.fraction();
    this.#renewAtMs = fromMs + part * (this.#verdict!.notAfterMs - fromMs);
  }

  get #spiffeId(): string {
    return spiffeIdOf(this.#options.workload);
  }

  get #tokenFile(): TokenFile {
    return { path: this.#options.tokenPath, ...this.#options.workload };
  }

  #roots(): Promise<string[]> {
    const { rootCertPath, files, clock } = this.#options;
    return readRoots(rootCertPath, {
      files,
      kept: this.#stored?.roots ?? [],
      nowMs: clock.wallMs(),
    });
  }

  #report(error: unknown): void {
    const known = error instanceof MeshError
      ? error
      : new MeshError("CERTIFICATE_REFUSED", `No certificate could be had: ${messageOf(error)}`);
    this.#problem("obtain", { code: known.code, message: known.message, remedy: known.remedy });
  }

  #problem(part: "store" | "obtain" | "identity", problem: MeshProblem): void {
    if (this.#problems.get(part)?.message !== problem.message) {
      this.#options.log.warn(problem.message, { remedy: problem.remedy });
    }
    this.#problems.set(part, problem);
  }
}
