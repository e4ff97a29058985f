/**
 * The upstream servers in force: chosen from the configuration and the VM's own set-up, chosen anew when
 * either changes, and without those that lead back to this agent.
 *
 * @module
 */
import { chooseUpstreams, type ChosenUpstreams, withoutLoops } from "./chosen_upstreams.ts";
import type { Config } from "./config/config.ts";
import type { StatusProblem } from "./health/api.ts";
import { SAVED_RESOLV_CONF } from "./host_dns/host_dns.ts";
import { HostDnsWatch } from "./host_dns/host_dns_watch.ts";
import { RememberedLinks } from "./host_dns/remembered_links.ts";
import { readResolvedLinks } from "./host_dns/resolved_links.ts";
import { messageOf } from "./system/agent_error.ts";
import type { Logger } from "./system/log.ts";
import { formatNameserver } from "./system/nameserver.ts";
import type { SocketAddress } from "./system/socket_address.ts";
import type { World } from "./system/world.ts";
import type { LoopProbe } from "./upstream/loop_probe.ts";
import type { ServerSet } from "./upstream/upstream_servers.ts";

/** What an {@link UpstreamChoice} is made of. */
export interface UpstreamChoiceOptions {
  /** The machine. */
  world: World;
  /** For changes of the VM's set-up. */
  log: Logger;
  /** Where this agent listens, which is no server. */
  listenAddresses(config: Config): readonly SocketAddress[];
  /** Finds servers that lead back here over others. */
  loopProbe: Pick<LoopProbe, "probe">;
  /** Puts servers in force. */
  replaceServers(set: ServerSet): void;
  /** The search domains of the VM may be others now. */
  onSearchDomains(searchDomains: readonly string[]): void;
  /** Another program changed the VM's set-up, and so perhaps how lookups get here. */
  onHostChanged(): void;
  /** What is wrong, by part; undefined where nothing is any more. */
  onProblem(part: "upstreams" | "upstream loop", problem: StatusProblem | undefined): void;
}

/** A choice that is not in force yet. */
export interface PreparedUpstreams {
  /** What it was made by. */
  config: Config;
  /** The VM's own set-up. */
  watch: HostDnsWatch;
  /** The choice. */
  chosen: ChosenUpstreams;
}

/** Keeps the choice as it should be. */
export class UpstreamChoice {
  readonly #options: UpstreamChoiceOptions;
  readonly #rememberedLinks: RememberedLinks;
  #inForce: ServerSet = { servers: [], domains: [] };
  #following = new AbortController();

  /** Wires the parts; does nothing yet. */
  constructor(options: UpstreamChoiceOptions) {
    this.#options = options;
    this.#rememberedLinks = new RememberedLinks(options.world);
  }

  /**
   * Reads the VM's set-up and chooses by it; changes nothing yet.
   *
   * @throws {UpstreamLoopError} when the configuration names this agent as a server
   */
  async prepare(config: Config): Promise<PreparedUpstreams> {
    const { world, log } = this.#options;
    const watch = new HostDnsWatch({
      ...world,
      log,
      exclude: this.#options.listenAddresses(config),
      savedResolvConf: SAVED_RESOLV_CONF,
      resolvedLinks: () => readResolvedLinks(world),
      rememberedLinks: this.#rememberedLinks,
    });
    await watch.read();
    return { config, watch, chosen: this.#choose(config, watch) };
  }

  /** Puts a choice in force. */
  apply({ chosen }: PreparedUpstreams): void {
    const { servers, searchDomains, problem } = chosen;
    this.#options.onSearchDomains(searchDomains);
    this.#options.onProblem("upstreams", problem);
    // What cannot be found leaves the servers of before in force.
    if (problem !== undefined && this.#inForce.servers.length > 0) return;
    this.#inForce = servers;
    this.#options.replaceServers(servers);
  }

  /** Follows the VM's set-up from a choice on, and looks for loops; call it once DNS is served. */
  follow(prepared: PreparedUpstreams): void {
    this.#following.abort();
    this.#following = new AbortController();
    const { signal } = this.#following;
    const { config, watch } = prepared;
    void this.#leaveOutLoops(signal);
    void watch.run(signal, () => {
      if (signal.aborted) return;
      this.#options.onHostChanged();
      try {
        this.apply({ config, watch, chosen: this.#choose(config, watch) });
      } catch (error) {
        // The configuration's own servers became this agent's, as when an address was added.
        this.#options.onProblem("upstreams", {
          code: "UPSTREAM_LOOP",
          message: messageOf(error),
          remedy: "Set dns.upstreams to other nameservers, and reload.",
        });
        return;
      }
      void this.#leaveOutLoops(signal);
    });
  }

  /** Follows no more. */
  close(): void {
    this.#following.abort();
  }

  #choose(config: Config, watch: HostDnsWatch): ChosenUpstreams {
    return chooseUpstreams(config, {
      host: watch.current,
      listeners: this.#options.listenAddresses(config),
      interfaces: this.#options.world.network.interfaceAddresses(),
    });
  }

  /** In doubt a server is used: it takes a question that came back to leave one out. */
  async #leaveOutLoops(signal: AbortSignal): Promise<void> {
    const { loopProbe, replaceServers, onProblem } = this.#options;
    const set = this.#inForce;
    const loops = await loopProbe.probe([
      ...set.servers,
      ...set.domains.flatMap(({ servers }) => servers),
    ], signal);
    if (signal.aborted || set !== this.#inForce) return;
    if (loops.length === 0) {
      onProblem("upstream loop", undefined);
      return;
    }
    replaceServers(withoutLoops(set, loops));
    const names = [...new Set(loops.map(formatNameserver))].join(", ");
    onProblem("upstream loop", {
      code: "UPSTREAM_LOOP",
      message: `The nameserver ${names} asks this agent for what it is asked: it is left out`,
      remedy: "Let it ask other nameservers, or set dns.upstreams to those, and reload.",
    });
  }
}
