/**
 * What is asked of an upstream server, and what can come of it. Owns the words, and no way to ask.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import type { Question } from "../dns/query.ts";
import type { Clock } from "../system/clock.ts";
import type { Network } from "../system/network.ts";
import type { Random } from "../system/random.ts";

/** What is asked of an upstream server. */
export interface UpstreamRequest {
  /** The question. */
  question: Question;
  /** DO. */
  dnssecOk: boolean;
  /** CD. */
  checkingDisabled: boolean;
}

/** No answer, and why, in words. */
export interface ExchangeFailure {
  /** Tells it from an answer. */
  kind: "failure";
  /** For people. */
  reason: string;
}

/** What came of asking one server. */
export type ExchangeOutcome =
  /** Its answer, whatever the rcode, and how long it took once the query was on its way. */
  | { kind: "answer"; answer: Answer; roundTripMs: number }
  /** None: the network refused, the answer was unreadable, or the wait was ended. */
  | ExchangeFailure;

/** Why a question went by TCP. */
export type TcpReason = "truncated" | "mismatches" | "letter case" | "cookie";

/** What upstream servers report for the metrics, by the text that names the server. */
export interface UpstreamObserver {
  /** A query was sent. */
  onRequest(server: string): void;
  /** It was answered, after so many seconds. */
  onAnswer(server: string, seconds: number): void;
  /** It was not, or not usably. */
  onFailure(server: string, reason: "timeout" | "error"): void;
  /** The server was asked because another was slower than its usual. */
  onHedge(server: string): void;
  /** The server was asked because another, or it itself at a try before, had no usable answer. */
  onRetry(server: string): void;
  /** A reply was ignored because it was not to the query. */
  onMismatch(server: string): void;
  /** The question went by TCP. */
  onTcpFallback(server: string, reason: TcpReason): void;
}

/** The ports that asking takes. */
export interface ExchangePorts {
  /** Opens sockets. */
  network: Network;
  /** Measures. */
  clock: Clock;
  /** Makes ids and cookies. */
  random: Random;
}

/** How long one try waits, in milliseconds. */
export const TRY_MS = 1_000;
/** Largest UDP answer asked for, in octets: fits every path without fragments (DNS flag day 2020). */
export const UPSTREAM_UDP_OCTETS = 1232;
