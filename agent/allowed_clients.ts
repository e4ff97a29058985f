/**
 * Who may ask on a listener that others can reach: this machine's own addresses, those of
 * `dns.allowFrom`, and with `capture.containers` those behind the bridges of container engines. It is decided at each query, so that the ranges are parsed once, and the addresses are
 * read at most once a second.
 *
 * @module
 */
import {
  type AddressRange,
  addressWithoutZone,
  isInRange,
  parseAddress,
  parseRange,
} from "./dns/ip_address.ts";
import { isContainerBridge } from "./host_dns/container_bridges.ts";
import type { Clock } from "./system/clock.ts";
import type { Network } from "./system/network.ts";

/** What {@link AllowedClients} is made of. */
export interface AllowedClientsOptions {
  /** The configuration in force. */
  config(): { dns: { allowFrom: readonly string[] }; capture: { containers: boolean } };
  /** Tells this machine's own addresses. */
  network: Pick<Network, "interfaceAddresses">;
  /** Tells how old they are. */
  clock: Pick<Clock, "monotonicMs">;
}

/**
 * How long the addresses hold, in milliseconds. Reading them costs a system call and a list for each
 * interface; for so long a new address of this machine is a stranger's.
 */
const OWN_ADDRESSES_MS = 1_000;

/** Knows who may ask. */
export class AllowedClients {
  readonly #options: AllowedClientsOptions;
  /** What `#ranges` was parsed from: a reload brings another list. */
  #texts: readonly string[] = [];
  #ranges: readonly AddressRange[] = [];
  #own = new Set<string>();
  #containers: readonly AddressRange[] = [];
  #readMs = -Infinity;

  /** Wires the parts; reads nothing yet. */
  constructor(options: AllowedClientsOptions) {
    this.#options = options;
  }

  /** Whether a client's address, perhaps with a zone, is among them. */
  has(client: string): boolean {
    const text = addressWithoutZone(client);
    const address = text === undefined ? undefined : parseAddress(text);
    if (address === undefined) return false;
    return this.#isInRange(address) || this.#isOwn(text!) || this.#isContainers(address);
  }

  #isInRange(address: Uint8Array): boolean {
    const texts = this.#options.config().dns.allowFrom;
    if (texts !== this.#texts) {
      this.#texts = texts;
      this.#ranges = texts.map((text) => parseRange(text)!);
    }
    return this.#ranges.some((range) => isInRange(address, range));
  }

  #isOwn(text: string): boolean {
    this.#readAddresses();
    return this.#own.has(text);
  }

  #isContainers(address: Uint8Array): boolean {
    if (!this.#options.config().capture.containers) return false;
    this.#readAddresses();
    return this.#containers.some((range) => isInRange(address, range));
  }

  #readAddresses(): void {
    const { network, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    if (nowMs - this.#readMs >= OWN_ADDRESSES_MS) {
      this.#readMs = nowMs;
      const addresses = network.interfaceAddresses();
      const own = addresses.map(({ address }) => addressWithoutZone(address));
      this.#own = new Set(own.filter((address) => address !== undefined));
      this.#containers = addresses.flatMap(({ interface: name, range = "" }) =>
        (isContainerBridge(name) ? parseRange(range) : undefined) ?? []
      );
    }
  }
}
