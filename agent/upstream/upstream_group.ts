/**
 * A group of upstream servers that answer the same names: which is asked first, who is asked next, and
 * when it is enough.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { Rcode } from "../dns/codes.ts";
import type { Clock } from "../system/clock.ts";
import type { Logger } from "../system/log.ts";
import type { Network } from "../system/network.ts";
import type { Random } from "../system/random.ts";
import { formatSocketAddress, type SocketAddress } from "../system/socket_address.ts";
import { exchange, type UpstreamRequest } from "./exchange.ts";

/** What came of asking the group. */
export type UpstreamOutcome =
  /** An answer, and who gave it. */
  | { kind: "answer"; answer: Answer; server: string; roundTripMs: number }
  /** None, and why. */
  | { kind: "failure"; reason: string; timedOut: boolean };

/** What a group reports for the metrics. */
export interface UpstreamObserver {
  /** A query was sent. */
  onRequest(server: string): void;
  /** It was answered, after so many seconds. */
  onAnswer(server: string, seconds: number): void;
  /** It was not, or not usably. */
  onFailure(server: string, reason: string): void;
}

/** One server, as status shows it. */
export interface UpstreamServerStatus {
  /** `192.0.2.53:53`. */
  server: string;
  /** False after {@link FAILURES_UNTIL_DEAD} failures in a row. */
  healthy: boolean;
  /** Smoothed round-trip time; absent before the first answer. */
  roundTripMs?: number;
  /** The last failure; empty after a success. */
  lastError: string;
}

/** What a group is made of. */
export interface UpstreamGroupOptions {
  /** The servers at first. */
  servers: readonly SocketAddress[];
  /** Opens sockets. */
  network: Network;
  /** Times out. */
  clock: Clock;
  /** Makes ids. */
  random: Random;
  /** For servers that die and return. */
  log: Logger;
  /** Counts; optional. */
  observer?: UpstreamObserver;
  /** See {@link EXCHANGES_MAX}. */
  maxExchanges?: number;
}

/** How long one try waits, in milliseconds. */
export const TRY_MS = 1_000;
/** When a question is given up, in milliseconds: before glibc's and musl's 5 s. */
export const GIVE_UP_MS = 4_500;
/** Failures in a row after which a server is asked last. */
export const FAILURES_UNTIL_DEAD = 3;
/** How long a dead server is asked last before it gets another chance, in milliseconds. */
export const DEAD_MS = 10_000;
/** Questions under way at a time, each with a socket of its own. */
export const EXCHANGES_MAX = 1_000;

/** How much a new round-trip time counts (RFC 6298 section 2). */
const SMOOTHING = 1 / 8;

/** A server with what is known of it. */
class Server {
  readonly name: string;
  readonly address: SocketAddress;
  roundTripMs: number | undefined;
  failures = 0;
  deadUntilMs = 0;
  lastError = "";

  constructor(address: SocketAddress) {
    this.address = address;
    this.name = formatSocketAddress(address);
  }
}

/** Servers that are asked in turn. */
export class UpstreamGroup {
  readonly #options: UpstreamGroupOptions;
  #servers: Server[] = [];
  #exchanges = 0;

  /** Wires the parts; does nothing yet. */
  constructor(options: UpstreamGroupOptions) {
    this.#options = options;
    this.replaceServers(options.servers);
  }

  /** Puts other servers in force; what is known of those that stay is kept. */
  replaceServers(servers: readonly SocketAddress[]): void {
    const known = new Map(this.#servers.map((server) => [server.name, server]));
    const wanted = new Map(servers.map((server) => [formatSocketAddress(server), server]));
    this.#servers = [...wanted].map(([name, address]) => known.get(name) ?? new Server(address));
  }

  /**
   * Asks the servers in turn, the best first, a second each, until one has a usable answer; an answer or
   * a failure comes after 4.5 seconds at the latest. Never rejects.
   */
  async exchange(request: UpstreamRequest): Promise<UpstreamOutcome> {
    if (this.#servers.length === 0) {
      return { kind: "failure", reason: "no upstream server is known", timedOut: false };
    }
    if (this.#exchanges >= (this.#options.maxExchanges ?? EXCHANGES_MAX)) {
      return { kind: "failure", reason: "too many questions are under way", timedOut: false };
    }
    this.#exchanges++;
    try {
      return await this.#askInTurn(request);
    } finally {
      this.#exchanges--;
    }
  }

  /** What is known of each server, the best first. */
  status(): UpstreamServerStatus[] {
    return this.#ranked().map(({ name, failures, roundTripMs, lastError }) => ({
      server: name,
      healthy: failures < FAILURES_UNTIL_DEAD,
      ...(roundTripMs !== undefined && { roundTripMs: Math.round(roundTripMs * 10) / 10 }),
      lastError,
    }));
  }

  async #askInTurn(request: UpstreamRequest): Promise<UpstreamOutcome> {
    const { clock } = this.#options;
    const deadlineMs = clock.monotonicMs() + GIVE_UP_MS;
    let refusal: UpstreamOutcome | undefined;
    const failures: string[] = [];
    let timedOut = false;
    const ranked = this.#ranked();
    for (let i = 0;; i++) {
      const remainingMs = deadlineMs - clock.monotonicMs();
      if (remainingMs <= 0) break;
      // Every server gets its turn, then the round begins again; refusals are not asked for twice.
      if (i >= ranked.length && refusal !== undefined) break;
      const server = ranked[i % ranked.length];
      const outcome = await this.#ask(server, request, Math.min(TRY_MS, remainingMs));
      if (outcome.kind === "failure") {
        failures.push(`${server.name}: ${outcome.reason}`);
        timedOut ||= outcome.timedOut;
        if (!outcome.timedOut && i >= ranked.length) break;
        continue;
      }
      const answered: UpstreamOutcome = { ...outcome, server: server.name };
      if (isUsable(outcome.answer)) return answered;
      // SERVFAIL and REFUSED may be this server's own trouble: another may know.
      refusal ??= answered;
    }
    if (refusal !== undefined) return refusal;
    const reason = `no upstream server answered (${[...new Set(failures)].join("; ")})`;
    return { kind: "failure", reason, timedOut };
  }

  async #ask(server: Server, request: UpstreamRequest, timeoutMs: number) {
    const { observer, clock } = this.#options;
    observer?.onRequest(server.name);
    const outcome = await exchange(server.address, request, { ...this.#options, timeoutMs });
    if (outcome.kind === "answer") {
      const { roundTripMs } = outcome;
      observer?.onAnswer(server.name, roundTripMs / 1000);
      server.roundTripMs = server.roundTripMs === undefined
        ? roundTripMs
        : server.roundTripMs + SMOOTHING * (roundTripMs - server.roundTripMs);
      if (server.failures >= FAILURES_UNTIL_DEAD) {
        this.#options.log.info("An upstream server answers again", { server: server.name });
      }
      server.failures = 0;
      server.lastError = "";
      return outcome;
    }
    observer?.onFailure(server.name, outcome.timedOut ? "timeout" : "error");
    server.lastError = outcome.reason;
    if (++server.failures === FAILURES_UNTIL_DEAD) {
      this.#options.log.warn("An upstream server does not answer; it is asked last for now", {
        server: server.name,
        reason: outcome.reason,
      });
    }
    if (server.failures >= FAILURES_UNTIL_DEAD) server.deadUntilMs = clock.monotonicMs() + DEAD_MS;
    return outcome;
  }

  /** The living by round-trip time, unknown ones first; then the dead, which are asked all the same. */
  #ranked(): Server[] {
    const nowMs = this.#options.clock.monotonicMs();
    const dead = (server: Server) => server.deadUntilMs > nowMs ? 1 : 0;
    return [...this.#servers].sort((a, b) =>
      dead(a) - dead(b) || (a.roundTripMs ?? 0) - (b.roundTripMs ?? 0)
    );
  }
}

/** Whether an answer says something about the name, and not only about the server. */
function isUsable({ rcode }: Answer): boolean {
  return rcode === Rcode.NOERROR || rcode === Rcode.NXDOMAIN;
}
