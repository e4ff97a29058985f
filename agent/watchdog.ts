/**
 * What the service manager is told of the agent's life: that it starts, is ready, well, reloads, ends.
 * Ready and well is who answers a question to the agent's own UDP listeners, sent and received over real
 * sockets as a client's is: a process that runs but does not answer is restarted.
 *
 * Ready says nothing of names: a control plane that is away at the first boot must not hold up the boot,
 * or have the agent killed. What is waited for stands in the status.
 *
 * @module
 */
import { RecordClass, RecordType } from "./dns/codes.ts";
import { encodeUpstreamQuery } from "./dns/upstream_query.ts";
import { type Clock, sleep } from "./system/clock.ts";
import type { Network } from "./system/network.ts";
import type { Random } from "./system/random.ts";
import type { ServiceManager } from "./system/service_manager.ts";
import { isLoopback, type SocketAddress } from "./system/socket_address.ts";

/** What a {@link Watchdog} is made of. */
export interface WatchdogOptions {
  /** Sends the questions. */
  network: Network;
  /** Waits. */
  clock: Clock;
  /** Their ids. */
  random: Random;
  /** Who is told; nobody where it is undefined. */
  service: ServiceManager | undefined;
  /** Where DNS is served now. */
  addresses: () => readonly SocketAddress[];
  /** How the agent is, in words. */
  status: () => string;
}

/**
 * How long a question may take, in milliseconds; then another one is sent. In a flood that fills the
 * socket's queue most are lost, and restarting would not help: one that gets through is enough.
 */
export const SELF_QUERY_MS = 250;
/**
 * How long a start may take that has got this far, in milliseconds: a table of 100,000 names is read from
 * a slow disk. What hangs before has the time that its unit gives.
 */
export const START_MS = 15_000;
/** How many times a service manager is told within its time: one that comes late costs nothing. */
const TIMES_WITHIN_PERIOD = 3;

/** Answered here whatever names and upstream servers there are (RFC 6761 section 6.3). */
const QUESTION = { name: "localhost", type: RecordType.A, class: RecordClass.IN };

/** Tells the service manager. */
export class Watchdog {
  readonly #options: WatchdogOptions;

  /** Wires the parts; {@link run} acts. */
  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  /** The agent starts, and may take {@link START_MS}. */
  starting(): void {
    this.#options.service?.notify({ status: "Starting", extendMs: START_MS });
  }

  /** The agent reads its configuration again. */
  reloading(): void {
    this.#options.service?.notify({ event: "reloading" });
  }

  /** It has done so, with whatever success: it serves as it did. */
  reloaded(): void {
    this.#notify("ready");
  }

  /** The agent ends. */
  stopping(): void {
    this.#options.service?.notify({ event: "stopping", status: "Answering what is under way" });
  }

  /**
   * Tells that the agent is ready as soon as it answers, and as long as it does that it is well. Runs
   * until `signal` is aborted; never rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    const { service, clock } = this.#options;
    if (service === undefined || !await this.#answers(signal)) return;
    this.#notify("ready");
    if (service.watchdogMs === undefined) return;
    for (;;) {
      await sleep(clock, service.watchdogMs / TIMES_WITHIN_PERIOD, signal).catch(() => {});
      if (!await this.#answers(signal)) return;
      this.#notify("alive");
    }
  }

  #notify(event: "ready" | "alive"): void {
    const { service, status } = this.#options;
    service?.notify({ event, status: status() });
  }

  /** Asks until it is answered: true; false once `signal` is aborted. */
  async #answers(signal: AbortSignal): Promise<boolean> {
    const { addresses, clock } = this.#options;
    while (!signal.aborted) {
      const outcomes = await Promise.all(
        askedOf(addresses()).map((listener) => this.#ask(listener, signal)),
      );
      if (signal.aborted) break;
      const silent = outcomes.includes("silent");
      // What cannot be sent to (an address that was taken from the machine) no restart would bring back.
      if (outcomes.includes("answered") && !silent) return true;
      // Nothing could be sent: not again at once.
      if (!silent) await sleep(clock, SELF_QUERY_MS, signal).catch(() => {});
    }
    return false;
  }

  async #ask(listener: SocketAddress, signal: AbortSignal): Promise<Outcome> {
    const { network, clock, random } = this.#options;
    const id = random.uint16();
    const message = encodeUpstreamQuery({
      id,
      question: QUESTION,
      checkingDisabled: false,
      dnssecOk: false,
      udpPayloadSize: 0,
    });
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const isV6 = listener.address.includes(":");
    const socket = await network.bindUdp({ address: isV6 ? "::" : "0.0.0.0", port: 0 }, {
      onMessage: (answer) => {
        if (isAnswer(answer, id)) resolve("answered");
      },
      onError: () => resolve("unreachable"),
    }).catch(() => undefined);
    if (socket === undefined) return "unreachable";
    const giveUp = () => resolve("silent");
    const cancel = clock.schedule(SELF_QUERY_MS, giveUp);
    signal.addEventListener("abort", giveUp, { once: true });
    if (signal.aborted) giveUp();
    socket.send(message, { address: reachable(listener.address), port: listener.port });
    const outcome = await promise;
    cancel();
    signal.removeEventListener("abort", giveUp);
    socket.close();
    return outcome;
  }
}

/** What came of a question to one listener. */
type Outcome = "answered" | "silent" | "unreachable";

/** A response with this id that found what was asked for: a SERVFAIL of a broken resolver is none. */
function isAnswer(message: Uint8Array, id: number): boolean {
  return message.length > 12 && (message[0] << 8 | message[1]) === id &&
    (message[2] & 0x80) !== 0 && (message[3] & 0x0f) === 0;
}

/**
 * Those on loopback, where there are any: another address may be gone from this machine, with its bridge,
 * and a question to it lost on a way to elsewhere.
 */
function askedOf(listeners: readonly SocketAddress[]): readonly SocketAddress[] {
  const own = listeners.filter(({ address }) => isLoopback(reachable(address)));
  return own.length === 0 ? listeners : own;
}

/** A listener on all addresses is asked on loopback. */
function reachable(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  return address === "::" ? "::1" : address;
}
