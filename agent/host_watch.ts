/**
 * Facts of the VM that come and go while the agent runs, and that its view of the mesh depends on.
 *
 * @module
 */
import type { HostFacts } from "./agent_settings.ts";
import { findEnvoyInterception } from "./host_dns/envoy_interception.ts";
import { sleep } from "./system/clock.ts";
import type { World } from "./system/world.ts";

/** How often the agent looks whether an Envoy or an address came or went, in milliseconds. */
const POLL_MS = 5_000;

/** Knows the facts as they were seen last. */
export class HostWatch {
  readonly #world: Pick<World, "clock" | "files">;
  #facts: HostFacts = { searchDomains: [], interception: false };

  /** Wires the parts; nothing is known yet. */
  constructor(world: Pick<World, "clock" | "files">) {
    this.#world = world;
  }

  /** What is known. */
  get facts(): HostFacts {
    return this.#facts;
  }

  /** Takes over the search domains of the VM's own resolver set-up. */
  replaceSearchDomains(searchDomains: readonly string[]): void {
    this.#facts = { ...this.#facts, searchDomains };
  }

  /** Looks for an Envoy's interception; true where it came or went since the last look. */
  async look(): Promise<boolean> {
    const interception = await findEnvoyInterception(this.#world.files);
    const changed = interception !== this.#facts.interception;
    this.#facts = { ...this.#facts, interception };
    return changed;
  }

  /** Looks every few seconds, and tells of each look, until `signal` is aborted. */
  async run(signal: AbortSignal, onLook: (interceptionChanged: boolean) => void): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#world.clock, POLL_MS, signal).catch(() => {});
      if (!signal.aborted) onLook(await this.look());
    }
  }
}
