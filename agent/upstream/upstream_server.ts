/**
 * One upstream server: how it is asked, and what is known of it. Plain servers are asked by UDP and,
 * where they must, by TCP; the others by TLS alone.
 *
 * @module
 */
import { Rcode } from "../dns/codes.ts";
import { encodeUpstreamQuery } from "../dns/upstream_query.ts";
import type { Logger } from "../system/log.ts";
import { formatNameserver, type Nameserver } from "../system/nameserver.ts";
import {
  type ExchangeFailure,
  type ExchangeOutcome,
  type ExchangePorts,
  type TcpReason,
  TRY_MS,
  UPSTREAM_UDP_OCTETS,
  type UpstreamObserver,
  type UpstreamRequest,
} from "./exchange.ts";
import { ServerHealth } from "./server_health.ts";
import { ServerProbes } from "./server_probes.ts";
import { type QueryForm, refusesForm, ServerTraits } from "./server_traits.ts";
import { StreamPool } from "./stream_pool.ts";
import { exchangeUdp } from "./udp_exchange.ts";

/** Queries over TLS are a multiple of so many octets (RFC 8467 section 4.1). */
export const PADDED_TO_OCTETS = 128;

/** What a server is made of. */
export interface UpstreamServerOptions extends ExchangePorts {
  /** For servers that die and return. */
  log: Logger;
  /** Counts; optional. */
  observer?: UpstreamObserver;
  /** Whether letters get a random case (0x20), asked at each query; not unless given. */
  caseRandomization?: () => boolean;
  /** Root certificates in PEM for DNS over TLS; those of the machine unless given. */
  roots?: readonly string[];
}

/** One server, as status shows it. */
export interface UpstreamServerStatus {
  /** `192.0.2.53:53`, `tls://192.0.2.53:853#dns.example.org`. */
  server: string;
  /** False after three failures in a row. */
  healthy: boolean;
  /** Smoothed round-trip time; absent before the first answer. */
  roundTripMs?: number;
  /** The last failure; empty after an answer. */
  lastError: string;
}

/** One upstream server. */
export class UpstreamServer {
  readonly #options: UpstreamServerOptions;
  readonly #nameserver: Nameserver;
  readonly #traits: ServerTraits;
  readonly #pool: StreamPool;
  readonly #probes: ServerProbes;
  /** The text that names it. */
  readonly name: string;
  /** How fast and how alive it is. */
  readonly health = new ServerHealth();
  /** When it was last asked, in milliseconds of the clock. */
  lastAskedMs: number = -Infinity;

  /** Wires the parts; does nothing yet. */
  constructor(nameserver: Nameserver, options: UpstreamServerOptions) {
    const { network, caseRandomization = () => false, roots } = options;
    const { address, tls } = nameserver;
    this.#options = options;
    this.#nameserver = nameserver;
    this.name = formatNameserver(nameserver);
    this.#traits = new ServerTraits({ ...options, caseRandomization });
    this.#probes = new ServerProbes({ ...options, server: this });
    this.#pool = new StreamPool({
      ...options,
      connect: (handlers, signal) =>
        tls === undefined
          ? network.connectTcp(address, handlers, signal)
          : network.connectTls(address, handlers, {
            signal,
            ...(tls.serverName !== undefined && { serverName: tls.serverName }),
            ...(roots && { roots }),
          }),
    });
  }

  /** Asks it until it answers or `signal` ends the wait. Never rejects. */
  async ask(request: UpstreamRequest, signal: AbortSignal): Promise<ExchangeOutcome> {
    const { observer, clock, log } = this.#options;
    observer?.onRequest(this.name);
    this.lastAskedMs = clock.monotonicMs();
    const outcome = this.#nameserver.tls === undefined
      ? await this.#askPlain(request, signal)
      : await this.#askOnStream(request, { edns: "edns", mixCase: false }, signal);
    if (outcome.kind === "answer") {
      observer?.onAnswer(this.name, outcome.roundTripMs / 1000);
      if (this.health.answered(outcome.roundTripMs)) {
        log.info("An upstream server answers again", { server: this.name });
      }
      this.#probes.stop();
    } else if (!signal.aborted) {
      observer?.onFailure(this.name, "error");
      this.#failed(outcome.reason);
    }
    return outcome;
  }

  /** A query to it was not answered in {@link TRY_MS}, or what was left of it. */
  overdue(waitedMs: number): ExchangeFailure {
    const reason = `no answer in ${Math.round(waitedMs)} ms`;
    this.#options.observer?.onFailure(this.name, "timeout");
    this.#pool.retireSilent(waitedMs);
    // Of a try that was cut short by the end of its question, nothing can be said.
    if (waitedMs >= TRY_MS / 2) this.#failed(reason);
    return { kind: "failure", reason };
  }

  /** What status shows. */
  status(): UpstreamServerStatus {
    const { roundTripMs, isDead, lastError } = this.health;
    return {
      server: this.name,
      healthy: !isDead,
      ...(roundTripMs !== undefined && { roundTripMs: Math.round(roundTripMs * 10) / 10 }),
      lastError,
    };
  }

  /** Ends probes and idle connections; who waits for an answer still gets it. */
  close(): void {
    this.#probes.close();
    this.#pool.close();
  }

  async #askPlain(request: UpstreamRequest, signal: AbortSignal): Promise<ExchangeOutcome> {
    const { observer, clock } = this.#options;
    let form = this.#traits.form(clock.monotonicMs());
    let lowered = false;
    let cookieRenewed = false;
    for (;;) {
      const tried = await exchangeUdp(this.#nameserver.address, request, {
        ...this.#options,
        form,
        traits: this.#traits,
        signal,
        onMismatch: () => observer?.onMismatch(this.name),
      });
      if (tried.kind === "failure") return tried;
      if (tried.kind === "try TCP") return this.#askByTcp(request, { form, signal }, tried.reason);
      const { answer } = tried.message;
      if (refusesForm(answer)) {
        const lower = this.#traits.lowerForm(form);
        if (lower !== undefined) {
          form = lower;
          lowered = true;
          continue;
        }
      } else if (lowered) this.#traits.onLowerAnswered(form.edns, clock.monotonicMs());
      if (answer.rcode === Rcode.BADCOOKIE) {
        // It gave a new one along (RFC 7873 section 5.3).
        if (cookieRenewed) return this.#askByTcp(request, { form, signal }, "cookie");
        cookieRenewed = true;
        form = this.#traits.form(clock.monotonicMs());
        continue;
      }
      return { kind: "answer", answer, roundTripMs: tried.roundTripMs };
    }
  }

  #askByTcp(
    request: UpstreamRequest,
    { form, signal }: { form: QueryForm; signal: AbortSignal },
    reason: TcpReason,
  ): Promise<ExchangeOutcome> {
    this.#options.observer?.onTcpFallback(this.name, reason);
    return this.#askOnStream(request, form, signal);
  }

  async #askOnStream(
    request: UpstreamRequest,
    { edns, cookie }: QueryForm,
    signal: AbortSignal,
  ): Promise<ExchangeOutcome> {
    const udpPayloadSize = edns === "none" ? 0 : UPSTREAM_UDP_OCTETS;
    const { tls } = this.#nameserver;
    const outcome = await this.#pool.exchange({
      question: request.question,
      encode: (id) =>
        encodeUpstreamQuery({
          ...request,
          id,
          udpPayloadSize,
          ...(cookie && { cookie }),
          ...(tls && { paddedToOctets: PADDED_TO_OCTETS }),
        }),
      signal,
    });
    if (outcome.kind === "failure") {
      return { kind: "failure", reason: `by ${tls ? "TLS" : "TCP"}: ${outcome.reason}` };
    }
    this.#traits.learnCookie(cookie, outcome.message.cookie);
    return { kind: "answer", answer: outcome.message.answer, roundTripMs: outcome.roundTripMs };
  }

  #failed(reason: string): void {
    const { log } = this.#options;
    if (this.health.failed(reason)) {
      log.warn("An upstream server does not answer; it is asked last for now", {
        server: this.name,
        reason,
      });
    }
    this.#probes.start();
  }
}
