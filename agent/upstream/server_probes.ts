/**
 * Probes of a server that failed, until it answers: so that it comes back without a client's question
 * having to wait for it.
 *
 * @module
 */
import { RecordClass, RecordType } from "../dns/codes.ts";
import type { Clock } from "../system/clock.ts";
import type { Random } from "../system/random.ts";
import { TRY_MS, type UpstreamRequest } from "./exchange.ts";
import { probeDelayMs } from "./server_health.ts";
import type { UpstreamServer } from "./upstream_server.ts";

/** What probes need. */
export interface ServerProbesOptions {
  /** Who is probed. */
  server: Pick<UpstreamServer, "ask" | "overdue" | "health">;
  /** Waits. */
  clock: Clock;
  /** Spreads them. */
  random: Random;
}

/**
 * What a probe asks: every resolver has it in its cache, it says nothing of what this machine looks
 * up, and a server that refuses it is alive all the same.
 */
const PROBE: UpstreamRequest = {
  question: { name: "", type: RecordType.NS, class: RecordClass.IN },
  dnssecOk: false,
  checkingDisabled: false,
};

/** The probes of one server. */
export class ServerProbes {
  readonly #options: ServerProbesOptions;
  readonly #closed = new AbortController();
  #inVain = 0;
  #cancel: (() => void) | undefined;

  /** Wires the parts; does nothing yet. */
  constructor(options: ServerProbesOptions) {
    this.#options = options;
  }

  /**
   * Probes from now on, a second after the first failure already: a server that lost one packet is back
   * in its place by then. Does nothing where probes go on, or after {@link close}.
   */
  start(): void {
    if (this.#cancel === undefined && !this.#closed.signal.aborted) this.#schedule();
  }

  /** The server answered. */
  stop(): void {
    this.#cancel?.();
    this.#cancel = undefined;
    this.#inVain = 0;
  }

  /** The server is not used any more. */
  close(): void {
    this.#closed.abort(new Error("The server is not used any more"));
    this.stop();
  }

  #schedule(): void {
    const { clock, random } = this.#options;
    const delayMs = probeDelayMs(this.#inVain++, random.fraction());
    this.#cancel = clock.schedule(delayMs, () => void this.#probe());
  }

  async #probe(): Promise<void> {
    const { clock, server } = this.#options;
    const limit = new AbortController();
    const cancel = clock.schedule(TRY_MS, () => {
      server.overdue(TRY_MS);
      limit.abort(new Error("time is up"));
    });
    const outcome = await server.ask(PROBE, AbortSignal.any([limit.signal, this.#closed.signal]));
    cancel();
    const isBack = outcome.kind === "answer" || server.health.failures === 0;
    if (!isBack && !this.#closed.signal.aborted) this.#schedule();
  }
}
