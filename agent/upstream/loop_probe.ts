/**
 * Upstream servers that lead back to this agent over others: a forwarder on this machine or in the
 * network whose own server we are. Addresses do not show that; a question that comes back does.
 *
 * Whoever cannot be asked, or answers without asking us, is no loop: in doubt a server is used.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { RecordClass, RecordType } from "../dns/codes.ts";
import { isBelow } from "../dns/name.ts";
import { silentLog } from "../system/log.ts";
import { formatNameserver, type Nameserver } from "../system/nameserver.ts";
import type { ExchangePorts, UpstreamRequest } from "./exchange.ts";
import { UpstreamServer } from "./upstream_server.ts";

/**
 * Where the questions lie. `example` is reserved (RFC 2606 section 2), so that nobody's names are in the
 * way, and other resolvers forward it like any name (RFC 6761 section 6.5), unlike `invalid` and `test`.
 */
export const LOOP_PROBE_DOMAIN = "outrigger-loop-probe.example";
/** How long a server's question may take to come back, in milliseconds. */
export const LOOP_PROBE_MS = 2_000;
/** How long one may yet come back after the answer came from elsewhere: some ask all they know at once. */
export const LOOP_PROBE_GRACE_MS = 250;

/** 64 bits: nobody asks the name of a probe by chance, or to have a server left out. */
const TOKEN_OCTETS = 8;

/** What a probe needs. */
export interface LoopProbeOptions extends ExchangePorts {
  /** Root certificates in PEM for DNS over TLS; those of the machine unless given. */
  roots?: readonly string[];
}

/** Asks servers for names that only this agent knows, and listens for who brings them back. */
export class LoopProbe {
  readonly #options: LoopProbeOptions;
  readonly #waiting = new Map<string, () => void>();

  /** Wires the parts; does nothing yet. */
  constructor(options: LoopProbeOptions) {
    this.#options = options;
  }

  /**
   * To be told the name of each query of a client before it is resolved. True where it is a probe that
   * came back: it is to be answered with REFUSED, and not to be asked on.
   */
  onQuery(name: string): boolean {
    if (!isBelow(name, LOOP_PROBE_DOMAIN)) return false;
    const cameBack = this.#waiting.get(name);
    cameBack?.();
    return cameBack !== undefined;
  }

  /**
   * Those of `servers` that lead back here, after two seconds at most, and none as soon as `signal` is
   * aborted. Never rejects.
   */
  async probe(servers: readonly Nameserver[], signal: AbortSignal): Promise<Nameserver[]> {
    const different = new Map(servers.map((server) => [formatNameserver(server), server]));
    const leadsBack = new Set<string>();
    await Promise.all([...different].map(async ([name, server]) => {
      if (await this.#leadsBack(server, signal)) leadsBack.add(name);
    }));
    return servers.filter((server) => leadsBack.has(formatNameserver(server)));
  }

  #leadsBack(nameserver: Nameserver, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false);
    const { clock, random } = this.#options;
    const token = Buffer.from(random.bytes(TOKEN_OCTETS)).toString("hex");
    const name = `${token}.${LOOP_PROBE_DOMAIN}`;
    // Every forwarder and firewall lets a question for A through.
    const request: UpstreamRequest = {
      question: { name, type: RecordType.A, class: RecordClass.IN },
      dnssecOk: false,
      checkingDisabled: false,
    };
    const server = new UpstreamServer(nameserver, { ...this.#options, log: silentLog });
    const limit = new AbortController();
    return new Promise<boolean>((resolve) => {
      const end = (leadsBack: boolean) => {
        cancel();
        signal.removeEventListener("abort", giveUp);
        this.#waiting.delete(name);
        limit.abort();
        server.close();
        resolve(leadsBack);
      };
      const giveUp = () => end(false);
      signal.addEventListener("abort", giveUp);
      let cancel = clock.schedule(LOOP_PROBE_MS, giveUp);
      this.#waiting.set(name, () => end(true));
      server.ask(request, limit.signal).then(() => {
        if (!this.#waiting.has(name)) return;
        cancel();
        cancel = clock.schedule(LOOP_PROBE_GRACE_MS, giveUp);
      });
    });
  }
}
