/**
 * The tries of one question: which server is asked when, and when it is enough. One after the other, a
 * second each; a second server earlier where the first is slower than its usual. A server that is
 * overdue may still answer until the question is given up.
 *
 * @module
 */
import type { Answer } from "../dns/answer.ts";
import { Rcode } from "../dns/codes.ts";
import type { Clock } from "../system/clock.ts";
import type { Capacity } from "./capacity.ts";
import {
  type ExchangeOutcome,
  TRY_MS,
  type UpstreamObserver,
  type UpstreamRequest,
} from "./exchange.ts";
import type { UpstreamServer } from "./upstream_server.ts";

/** What came of asking several servers. */
export type UpstreamOutcome =
  /** An answer, and who gave it. */
  | { kind: "answer"; answer: Answer; server: string; roundTripMs: number }
  /** None, and why; `overloaded` where nobody was asked for want of room. */
  | { kind: "failure"; reason: string; timedOut: boolean; overloaded?: boolean };

/** What the tries of a question need. */
export interface TriesOptions {
  /** The servers, the best first; at least one. */
  servers: readonly UpstreamServer[];
  /** How many of them are asked at once. */
  atOnce: number;
  /** When the question is given up. */
  deadlineMs: number;
  /** Whether a second server may be asked before the first is overdue. */
  takeHedge(): boolean;
  /** A place for each try. */
  capacity: Capacity;
  /** Times out. */
  clock: Clock;
  /** Counts; optional. */
  observer?: UpstreamObserver | undefined;
}

/** Asks until there is an answer, or it is enough. */
export function askInTurn(
  request: UpstreamRequest,
  options: TriesOptions,
): Promise<UpstreamOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<UpstreamOutcome>();
  new Tries(request, options, { resolve, reject }).start();
  return promise;
}

/** One server that was asked. */
interface Try {
  readonly server: UpstreamServer;
  /** Ends the wait for it. */
  readonly limit: AbortController;
  /** Cancels its timer. */
  cancel: () => void;
}

class Tries {
  readonly #request: UpstreamRequest;
  readonly #options: TriesOptions;
  readonly #result: Pick<PromiseWithResolvers<UpstreamOutcome>, "resolve" | "reject">;
  /** Tries of less than a second, and those that are overdue. */
  readonly #young = new Set<Try>();
  readonly #overdue = new Set<Try>();
  /** What servers said that ends it for them: a refusal, or a second failure without waiting. */
  readonly #out = new Set<UpstreamServer>();
  readonly #failed = new Set<UpstreamServer>();
  readonly #reasons = new Set<string>();
  #turn = 0;
  #asked = false;
  #settled = false;
  #timedOut = false;
  #refusal: UpstreamOutcome | undefined;

  constructor(
    request: UpstreamRequest,
    options: TriesOptions,
    result: Pick<PromiseWithResolvers<UpstreamOutcome>, "resolve" | "reject">,
  ) {
    this.#request = request;
    this.#options = options;
    this.#result = result;
  }

  start(): void {
    for (let i = 0; i < this.#options.atOnce; i++) this.#next();
  }

  /** Asks the next server, or ends where there is none and nobody is waited for. */
  #next(why?: "hedge" | "retry"): void {
    const { servers, capacity, observer } = this.#options;
    for (let passed = 0; passed < servers.length; passed++) {
      // Every server gets its turn, then the round begins again; refusals are not asked for twice.
      if (this.#refusal !== undefined && this.#turn >= servers.length) break;
      const server = servers[this.#turn++ % servers.length];
      if (this.#out.has(server)) continue;
      if (!capacity.take()) {
        this.#reasons.add("too many questions are under way");
        break;
      }
      if (why === "hedge") observer?.onHedge(server.name);
      if (why === "retry") observer?.onRetry(server.name);
      return this.#ask(server);
    }
    if (this.#young.size === 0) this.#giveUp();
  }

  #ask(server: UpstreamServer): void {
    const { clock, deadlineMs, capacity, servers } = this.#options;
    const tryMs = Math.min(TRY_MS, deadlineMs - clock.monotonicMs());
    const one: Try = { server, limit: new AbortController(), cancel: () => {} };
    this.#young.add(one);
    this.#asked = true;
    const hedgeMs = this.#turn === 1 && servers.length > 1 ? server.health.usualMaxMs : Infinity;
    const wait = (ms: number) => one.cancel = clock.schedule(ms, () => this.#isOverdue(one, tryMs));
    if (hedgeMs >= tryMs) wait(tryMs);
    else {
      one.cancel = clock.schedule(hedgeMs, () => {
        wait(tryMs - hedgeMs);
        const alone = !this.#settled && this.#turn === 1;
        if (alone && this.#options.takeHedge()) this.#next("hedge");
      });
    }
    server.ask(this.#request, one.limit.signal).finally(() => {
      one.cancel();
      capacity.release();
      this.#young.delete(one);
      this.#overdue.delete(one);
    }).then((outcome) => {
      if (!this.#settled) this.#onOutcome(server, outcome);
      // Only a fault of ours throws: it costs this question, and not the agent.
    }).catch(this.#result.reject);
  }

  #isOverdue(one: Try, waitedMs: number): void {
    const { clock, deadlineMs } = this.#options;
    const { reason } = one.server.overdue(waitedMs);
    this.#young.delete(one);
    // The question is answered; this try went on only to learn how fast the server is.
    if (this.#settled) return one.limit.abort();
    this.#overdue.add(one);
    this.#timedOut = true;
    this.#reasons.add(`${one.server.name}: ${reason}`);
    if (clock.monotonicMs() >= deadlineMs) this.#giveUp();
    else if (this.#young.size === 0) this.#next("retry");
  }

  #onOutcome(server: UpstreamServer, outcome: ExchangeOutcome): void {
    if (outcome.kind === "answer") {
      const answered: UpstreamOutcome = { ...outcome, server: server.name };
      if (isUsable(outcome.answer)) return this.#settle(answered);
      // SERVFAIL and REFUSED may be this server's own trouble: another may know.
      this.#refusal ??= answered;
      this.#out.add(server);
    } else {
      this.#reasons.add(`${server.name}: ${outcome.reason}`);
      if (this.#failed.has(server)) this.#out.add(server);
      this.#failed.add(server);
    }
    const unasked = this.#turn < this.#options.servers.length;
    if (unasked || this.#young.size === 0) this.#next("retry");
  }

  #giveUp(): void {
    const reasons = [...this.#reasons].join("; ");
    const reason = this.#asked ? `no upstream server answered (${reasons})` : reasons;
    this.#settle(
      this.#refusal ?? {
        kind: "failure",
        reason,
        timedOut: this.#timedOut,
        ...(!this.#asked && { overloaded: true }),
      },
    );
  }

  #settle(outcome: UpstreamOutcome): void {
    if (this.#settled) return;
    this.#settled = true;
    for (const { limit } of this.#overdue) limit.abort();
    this.#result.resolve(outcome);
  }
}

/** Whether an answer says something about the name, and not only about the server. */
function isUsable({ rcode }: Answer): boolean {
  return rcode === Rcode.NOERROR || rcode === Rcode.NXDOMAIN;
}
