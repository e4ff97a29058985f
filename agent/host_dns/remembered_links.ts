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
  /** Tells which links are there. */
  files: Pick<Files, "readText" | "list">;
  /** Tells how old it is. */
  clock: Pick<Clock, "monotonicMs">;
}

/**
 * How long it holds, in milliseconds. An upgrade takes a minute; one that does not come back (systemd
 * gives up after five starts in ten seconds) takes until somebody looks. What a link's servers are
 * meanwhile nobody can say: past an hour they are more likely old than right.
 */
export const REMEMBERED_MS = 3_600_000;
/** The kernel's links; a folder each, named like the link. */
export const LINKS_FOLDER = "/sys/class/net";
/** States (RFC 2863) in which systemd-resolved does not use a link; a tunnel's is `unknown`. */
const DOWN = ["down", "lowerlayerdown", "notpresent", "dormant"];

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
   * What it told last, of the links that are still there and not down; undefined where it never told
   * anything, or too long ago. Where the links cannot be seen, they count as there.
   */
  async recall(): Promise<{ scopes: DnsScope[]; ageMs: number } | undefined> {
    if (this.#told === undefined) return undefined;
    const { scopes, atMs } = this.#told;
    const ageMs = this.#options.clock.monotonicMs() - atMs;
    if (ageMs > REMEMBERED_MS) return undefined;
    const present = await this.#linksInUse();
    return {
      scopes: scopes.filter(({ link }) =>
        link === undefined || present === undefined || present.has(link)
      ),
      ageMs,
    };
  }

  /** Indexes of the links; undefined where they cannot be seen. */
  async #linksInUse(): Promise<Set<number> | undefined> {
    const { files } = this.#options;
    const names = await files.list(LINKS_FOLDER).catch(() => undefined);
    if (names === undefined) return undefined;
    const indexes = await Promise.all(names.map(async (name) => {
      try {
        const state = await files.readText(`${LINKS_FOLDER}/${name}/operstate`);
        if (DOWN.includes(state.trim())) return [];
        return [Number(await files.readText(`${LINKS_FOLDER}/${name}/ifindex`))];
      } catch {
        // It went meanwhile; or it is no link, as bonding_masters is none.
        return [];
      }
    }));
    return new Set(indexes.flat());
  }
}
