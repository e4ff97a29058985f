/**
 * What one server has shown to speak: EDNS, cookies (RFC 7873), letter case kept (0x20). Decides what
 * the next query to it looks like, and whether what came back fits. Pure.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { Rcode } from "../dns/codes.ts";
import type { Random } from "../system/random.ts";

/** How much of EDNS a query uses, the most first; each is what to try where the one before is refused. */
export const EDNS_LEVELS = ["cookie", "edns", "none"] as const;
/** One of {@link EDNS_LEVELS}. */
export type EdnsLevel = typeof EDNS_LEVELS[number];

/** What a query to the server looks like. */
export interface QueryForm {
  /** How much of EDNS it uses. */
  edns: EdnsLevel;
  /** Octets of the COOKIE option. */
  cookie?: Uint8Array;
  /** Whether letters get a random case. */
  mixCase: boolean;
}

/** How long it is remembered that a server does not speak something, in milliseconds. */
export const REFUSAL_REMEMBERED_MS = 15 * 60_000;
/** Answers in another letter case after which it is not mixed any more. */
export const CASE_CHANGES_MAX = 3;
/** How long a client cookie is used, in milliseconds (RFC 7873 section 7.1: 36 days at most). */
export const CLIENT_COOKIE_MS = 24 * 3_600_000;

/** Octets of a client cookie, and bounds of both together (RFC 7873 section 4). */
const CLIENT_COOKIE_OCTETS = 8;
const COOKIE_MIN_OCTETS = 16;
const COOKIE_MAX_OCTETS = 40;

/** What one server speaks. */
export class ServerTraits {
  readonly #random: Random;
  readonly #caseRandomization: () => boolean;
  #edns: EdnsLevel = "cookie";
  #ednsUntilMs = 0;
  #clientCookie = new Uint8Array(0);
  #clientCookieUntilMs = 0;
  #serverCookie: Uint8Array | undefined;
  #caseChanges = 0;
  #caseUntilMs = 0;

  /**
   * Nothing is known yet.
   *
   * @param options `random` makes cookies; `caseRandomization` as configured
   */
  constructor(options: { random: Random; caseRandomization: () => boolean }) {
    this.#random = options.random;
    this.#caseRandomization = options.caseRandomization;
  }

  /** What the next query looks like. */
  form(nowMs: number): QueryForm {
    if (nowMs >= this.#ednsUntilMs) this.#edns = "cookie";
    if (nowMs >= this.#caseUntilMs && this.#caseChanges >= CASE_CHANGES_MAX) this.#caseChanges = 0;
    const mixCase = this.#caseRandomization() && this.#caseChanges < CASE_CHANGES_MAX;
    if (this.#edns !== "cookie") return { edns: this.#edns, mixCase };
    return { edns: "cookie", cookie: this.#cookie(nowMs), mixCase };
  }

  /** The form to try where `form` was refused; undefined where there is none. */
  lowerForm({ edns, mixCase }: QueryForm): QueryForm | undefined {
    const lower = EDNS_LEVELS[EDNS_LEVELS.indexOf(edns) + 1];
    return lower && { edns: lower, mixCase };
  }

  /** The server answered to `edns` after it had refused more. */
  onLowerAnswered(edns: EdnsLevel, nowMs: number): void {
    this.#edns = edns;
    this.#ednsUntilMs = nowMs + REFUSAL_REMEMBERED_MS;
  }

  /** An answer that is right came in another letter case. */
  onCaseChanged(nowMs: number): void {
    if (++this.#caseChanges >= CASE_CHANGES_MAX) {
      this.#caseUntilMs = nowMs + REFUSAL_REMEMBERED_MS;
    }
  }

  /**
   * Whether the cookie of a reply by UDP fits the query's (RFC 7873 section 5.3): none where the server
   * gives none, else ours at its beginning. Remembers the server's part.
   */
  acceptsCookie(sent: Uint8Array | undefined, received: Uint8Array | undefined): boolean {
    if (sent === undefined) return true;
    if (received === undefined) return this.#serverCookie === undefined;
    const ours = sent.subarray(0, CLIENT_COOKIE_OCTETS);
    if (!ours.every((octet, i) => received[i] === octet)) return false;
    const { length } = received;
    if (length < COOKIE_MIN_OCTETS || length > COOKIE_MAX_OCTETS) {
      return length === CLIENT_COOKIE_OCTETS;
    }
    // A client cookie that was renewed meanwhile has no use for the old one's counterpart.
    if (ours.every((octet, i) => this.#clientCookie[i] === octet)) {
      this.#serverCookie = received.slice(CLIENT_COOKIE_OCTETS);
    }
    return true;
  }

  /** Learns from a reply on a connection, which nobody else can write: a cookie that is gone is gone. */
  learnCookie(sent: Uint8Array | undefined, received: Uint8Array | undefined): void {
    if (sent !== undefined && received === undefined) this.#serverCookie = undefined;
    else this.acceptsCookie(sent, received);
  }

  /**
   * Random for each server (RFC 7873 section 4.1 asks that no two servers see the same), renewed every
   * day: a hash of addresses would need to know ours, which the kernel chooses at each query.
   */
  #cookie(nowMs: number): Uint8Array {
    if (nowMs >= this.#clientCookieUntilMs) {
      this.#clientCookie = this.#random.bytes(CLIENT_COOKIE_OCTETS);
      this.#clientCookieUntilMs = nowMs + CLIENT_COOKIE_MS;
      this.#serverCookie = undefined;
    }
    const server = this.#serverCookie;
    if (server === undefined) return this.#clientCookie;
    const both = new Uint8Array(CLIENT_COOKIE_OCTETS + server.length);
    both.set(this.#clientCookie);
    both.set(server, CLIENT_COOKIE_OCTETS);
    return both;
  }
}

/** Whether an answer refuses the query's form: servers from before EDNS do (RFC 6891 section 7). */
export function refusesForm({ rcode, answers }: Answer): boolean {
  const refuses = rcode === Rcode.FORMERR || rcode === Rcode.NOTIMP || rcode === Rcode.BADVERS;
  return refuses && answers.length === 0;
}
