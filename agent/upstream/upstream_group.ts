/**
 * A group of upstream servers that answer the same names: which comes first, and how many queries its
 * questions may cost.
 *
 * @module
 */
import type { Clock } from "../system/clock.ts";
import type { Capacity } from "./capacity.ts";
import type { UpstreamObserver, UpstreamRequest } from "./exchange.ts";
import { ExtraQueries } from "./extra_queries.ts";
import { compareHealth } from "./server_health.ts";
import { askInTurn, type UpstreamOutcome } from "./tries.ts";
import type { UpstreamServer } from "./upstream_server.ts";

/** What a group is made of. */
export interface UpstreamGroupOptions {
  /** Times out. */
  clock: Clock;
  /** A place for each query under way. */
  capacity: Capacity;
  /** Counts; optional. */
  observer?: UpstreamObserver;
}

/** Servers that are asked in turn. */
export class UpstreamGroup {
  readonly #options: UpstreamGroupOptions;
  readonly #extra = new ExtraQueries();
  /** In the order of the configuration. */
  servers: readonly UpstreamServer[] = [];

  /** Wires the parts; does nothing yet. */
  constructor(options: UpstreamGroupOptions) {
    this.#options = options;
  }

  /**
   * Asks the servers, the best first, until one has a usable answer or `deadlineMs` of the clock has
   * come. Never rejects.
   */
  async exchange(request: UpstreamRequest, deadlineMs: number): Promise<UpstreamOutcome> {
    const servers = this.ranked();
    if (servers.length === 0) {
      return { kind: "failure", reason: "no upstream server is known", timedOut: false };
    }
    if (deadlineMs <= this.#options.clock.monotonicMs()) {
      return { kind: "failure", reason: "no time was left to ask", timedOut: true };
    }
    const explores = this.#extra.onQuestion() && servers.length > 1;
    if (explores) moveToSecond(servers, leastRecentlyAsked(servers.slice(1)));
    return await askInTurn(request, {
      ...this.#options,
      servers,
      atOnce: explores ? 2 : 1,
      deadlineMs,
      takeHedge: () => this.#extra.takeHedge(),
    });
  }

  /** The servers, the best first. */
  ranked(): UpstreamServer[] {
    return this.servers.toSorted((a, b) => compareHealth(a.health, b.health));
  }
}

/** The one whose speed is known the worst: what was slow once may be fast by now. */
function leastRecentlyAsked(servers: readonly UpstreamServer[]): UpstreamServer {
  return servers.reduce((least, server) => server.lastAskedMs < least.lastAskedMs ? server : least);
}

function moveToSecond(servers: UpstreamServer[], server: UpstreamServer): void {
  servers.splice(servers.indexOf(server), 1);
  servers.splice(1, 0, server);
}
