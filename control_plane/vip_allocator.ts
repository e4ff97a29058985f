/**
 * Automatic virtual IPs for the hosts of ServiceEntries, by Istio's rules
 * (pilot/pkg/networking/serviceentry/ip_autoallocation.go, pilot/pkg/controllers/ipallocate): an IPv4 and
 * an IPv6 address each, in order of appearance, and never moved. Pure: its owner keeps the state on disk.
 *
 * A VIP belongs to namespace, name and host of a ServiceEntry together, as in Istio. The VIP of a host
 * that is gone stays reserved for it, so that a host that comes back has its old one and nobody's
 * connections end up at another; only when the range is used up does the one longest gone lose its VIP.
 *
 * @module
 */
import * as z from "zod";
import { formatAddress, parseRange } from "../agent/dns/ip_address.ts";
import type { ServiceEntry } from "../agent/names/mesh_object.ts";

/** A pair of addresses. */
export interface VipPair {
  /** E.g. `240.240.0.1`. */
  ipv4: string;
  /** E.g. `2001:2::1`. */
  ipv6: string;
}

/** Where VIPs are taken from: Istio's default ranges. */
export const VIP_RANGES_DEFAULT = { ipv4: "240.240.0.0/16", ipv6: "2001:2::/48" };

/** The key of a host's VIP. */
export function vipKey(entry: ServiceEntry, host: string): string {
  return `${entry.namespace}/${entry.name}/${host}`;
}

/** The hosts of a ServiceEntry that need a VIP. */
export function hostsNeedingVip(entry: ServiceEntry): string[] {
  // Without resolution Envoy sends on to the address that was dialled: a VIP would lead nowhere.
  if (entry.resolution === "NONE" || entry.autoAllocateOff) return [];
  if (entry.addresses.length > 0 || entry.statusAddresses.length > 0) return [];
  return entry.hosts.map((host) => host.toLowerCase()).filter((host) => !host.includes("*"));
}

const stateSchema = z.strictObject({
  version: z.literal(1),
  /** Index by key; in the order in which hosts went, those in use last. */
  vips: z.array(z.strictObject({ key: z.string(), index: z.int().min(1) })),
});

/** Gives out VIPs. */
export class VipAllocator {
  readonly #ipv4: Uint8Array;
  readonly #ipv6: Uint8Array;
  readonly #capacity: number;
  /** Index by key. Those in use are moved to the end at each assignment: the first is longest gone. */
  readonly #indexes = new Map<string, number>();
  #next = 1;

  /**
   * Wires the parts; does nothing yet.
   *
   * @param ranges {@link VIP_RANGES_DEFAULT} unless given; must be valid
   */
  constructor(ranges: { ipv4: string; ipv6: string } = VIP_RANGES_DEFAULT) {
    const [ipv4, ipv6] = [parseRange(ranges.ipv4)!, parseRange(ranges.ipv6)!];
    this.#ipv4 = ipv4.network;
    this.#ipv6 = ipv6.network;
    // The first and the last address of the IPv4 range are not given out.
    this.#capacity = Math.min(2 ** (32 - ipv4.prefixBits) - 2, 2 ** 31);
  }

  /**
   * Takes over a state that {@link format} made.
   *
   * @returns what is wrong with it; undefined when it was taken over
   */
  restore(text: string): string | undefined {
    let state: z.output<typeof stateSchema>;
    try {
      const parsed = stateSchema.safeParse(JSON.parse(text));
      if (!parsed.success) return `not a list of VIPs: ${parsed.error.issues[0].message}`;
      state = parsed.data;
    } catch (error) {
      return `not JSON: ${(error as Error).message}`;
    }
    if (new Set(state.vips.map(({ index }) => index)).size !== state.vips.length) {
      return "one VIP is given to two hosts";
    }
    this.#indexes.clear();
    for (const { key, index } of state.vips) this.#indexes.set(key, index);
    this.#next = state.vips.reduce((next, { index }) => Math.max(next, index + 1), 1);
    return undefined;
  }

  /** The state as a text. */
  format(): string {
    const vips = [...this.#indexes].map(([key, index]) => ({ key, index }));
    return `${JSON.stringify({ version: 1, vips }, null, 1)}\n`;
  }

  /**
   * Gives each key its VIP: the one it had, else a new one.
   *
   * @param options `taken`: addresses that somebody chose by hand and that are not given out
   * @returns the pairs by key; keys that found none are in `exhausted`; `changed` says whether the state
   * must be kept anew
   */
  assign(
    keys: Iterable<string>,
    options: { taken?: ReadonlySet<string> } = {},
  ): { pairs: Map<string, VipPair>; exhausted: string[]; changed: boolean } {
    const wanted = [...new Set(keys)];
    const inUse = new Set(wanted);
    const before = this.format();
    for (const key of wanted) {
      const index = this.#indexes.get(key);
      if (index === undefined) continue;
      this.#indexes.delete(key);
      this.#indexes.set(key, index);
    }
    const pairs = new Map<string, VipPair>();
    const exhausted: string[] = [];
    for (const key of wanted) {
      const index = this.#indexes.get(key) ?? this.#take(key, inUse, options.taken);
      if (index === undefined) exhausted.push(key);
      else pairs.set(key, this.#pair(index));
    }
    return { pairs, exhausted, changed: before !== this.format() };
  }

  #take(key: string, inUse: Set<string>, taken?: ReadonlySet<string>): number | undefined {
    while (this.#next <= this.#capacity) {
      const index = this.#next++;
      const { ipv4, ipv6 } = this.#pair(index);
      if (taken?.has(ipv4) || taken?.has(ipv6)) continue;
      this.#indexes.set(key, index);
      return index;
    }
    for (const [gone, index] of this.#indexes) {
      if (inUse.has(gone)) continue;
      this.#indexes.delete(gone);
      this.#indexes.set(key, index);
      return index;
    }
    return undefined;
  }

  #pair(index: number): VipPair {
    return {
      ipv4: formatAddress(plus(this.#ipv4, index)),
      ipv6: formatAddress(plus(this.#ipv6, index)),
    };
  }
}

/** An address `offset` (below 2^31) further. */
function plus(address: Uint8Array, offset: number): Uint8Array {
  const sum = address.slice();
  const view = new DataView(sum.buffer);
  const at = sum.length - 4;
  view.setUint32(at, (view.getUint32(at) + offset) >>> 0);
  return sum;
}
