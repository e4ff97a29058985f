/**
 * What systemd-resolved told of its links last, for as long as it cannot be asked. Its files that anybody
 * may read know servers, and nothing of what else it was told: without its routing domain a VPN's names
 * would go to everybody's servers, and without its DNS over TLS in the clear.
 *
 * @module
 */
import type { Clock } from "../system/clock.ts";
import type { Files } from "../system/files.ts";
import type { DnsScope } from "./dns_scope.ts";

/** What {@link RememberedLinks} needs. */
export interface RememberedLinksOptions {
  /** Tells which links are up. */
  files: Pick<Files, "readText">;
  /** Tells how old it is. */
  clock: Pick<Clock, "monotonicMs">;
}

/**
 * How long it holds, in milliseconds. An upgrade takes a minute; one that does not come back (systemd
 * gives up after five starts in ten seconds) takes until somebody looks. What a link's servers are
 * meanwhile nobody can say: past an hour they are more likely old than right.
 */
export const REMEMBERED_MS = 3_600_000;
/**
 * The kernel's list of links that are up: each of them is in the group of all hosts (RFC 1112), also without
 * an address or multicast. Of this network namespace, unlike /sys/class/net, which in a container may be
 * the host's; and of this process, which a service may see that sees no others (`ProcSubset=pid`).
 */
export const UP_LINKS = "/proc/self/net/igmp";

/** Remembers it; one for all that ask, so that a reload knows what was known before. */
export class RememberedLinks {
  readonly #options: RememberedLinksOptions;
  #told: { scopes: readonly DnsScope[]; atMs: number } | undefined;

  /** Knows nothing yet. */
  constructor(options: RememberedLinksOptions) {
    this.#options = options;
  }

  /** Takes over what it told just now. */
  replace(scopes: readonly DnsScope[]): void {
    this.#told = { scopes, atMs: this.#options.clock.monotonicMs() };
  }

  /**
   * What it told last, of the links that are still up; undefined where it never told
   * anything, or too long ago. Where the links cannot be seen, they count as up.
   */
  async recall(): Promise<{ scopes: DnsScope[]; ageMs: number } | undefined> {
    if (this.#told === undefined) return undefined;
    const { scopes, atMs } = this.#told;
    const ageMs = this.#options.clock.monotonicMs() - atMs;
    if (ageMs > REMEMBERED_MS) return undefined;
    const up = await this.#linksThatAreUp();
    return {
      scopes: scopes.filter(({ link }) => link === undefined || up === undefined || up.has(link)),
      ageMs,
    };
  }

  /** Indexes of the links; undefined where they cannot be seen. */
  async #linksThatAreUp(): Promise<Set<number> | undefined> {
    const text = await this.#options.files.readText(UP_LINKS).catch(() => undefined);
    if (text === undefined) return undefined;
    // A line for each link, `2   eth0 : 1 V3`, and below it one for each group.
    return new Set([...text.matchAll(/^(\d+)\s/gm)].map(([, index]) => Number(index)));
  }
}
