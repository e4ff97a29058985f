/**
 * All upstream servers: those of the default group, and those that answer for a domain of their own
 * (split DNS). Who is asked for a name is decided here, and by the name alone: a domain's servers that
 * fail are not made up for by the default ones, to which its names would leak, and what a server says
 * about the names of another group is not believed.
 *
 * @module
 */
import { chainLength, cutChain, openChain } from "../dns/cname_chain.ts";
import { parentOf } from "../dns/name.ts";
import { withoutPrivateAddresses } from "../dns/private_addresses.ts";
import type { Question } from "../dns/query.ts";
import { CNAME_CHAIN_MAX } from "../dns/upstream_message.ts";
import type { Clock } from "../system/clock.ts";
import { formatNameserver, type Nameserver } from "../system/nameserver.ts";
import { Capacity } from "./capacity.ts";
import type { UpstreamRequest } from "./exchange.ts";
import type { UpstreamOutcome } from "./tries.ts";
import { UpstreamGroup } from "./upstream_group.ts";
import {
  UpstreamServer,
  type UpstreamServerOptions,
  type UpstreamServerStatus,
} from "./upstream_server.ts";

/** Servers that answer for a domain. */
export interface DomainServers {
  /** Canonical name of the domain. */
  domain: string;
  /** Who is asked for it and what lies below; where there is nobody, its names fail. */
  servers: readonly Nameserver[];
}

/** Who is asked for what. */
export interface ServerSet {
  /** For all names that no domain takes. */
  servers: readonly Nameserver[];
  /** For domains; of several that a name lies in, the longest counts. */
  domains: readonly DomainServers[];
}

/** What the servers are made of. */
export interface UpstreamServersOptions extends UpstreamServerOptions {
  /** See {@link QUERIES_MAX}. */
  maxQueries?: number;
  /** Questions that are answered here alone: a chain that leads to one ends there, and is not asked on. */
  isAnsweredHere?: (question: Question) => boolean;
  /**
   * Whether the default group may say that a name has private addresses; domains with servers of their
   * own always may.
   */
  mayBePrivate?: (name: string) => boolean;
}

/** One server of one group, as status shows it. */
export interface GroupServerStatus extends UpstreamServerStatus {
  /** The domain that it answers for; absent for the default group. */
  domain?: string;
}

/** When a question is given up, in milliseconds: before glibc's and musl's 5 s. */
export const GIVE_UP_MS = 4_500;
/** Queries under way at a time, each with a socket of its own or a place on a connection. */
export const QUERIES_MAX = 1_000;
/** The name of the group for all names that no domain takes; a domain's group has the domain's. */
export const DEFAULT_GROUP = "*";

/** Who is asked for each name. */
export class UpstreamServers {
  readonly #options: UpstreamServersOptions;
  readonly #clock: Clock;
  readonly #capacity: Capacity;
  readonly #default: UpstreamGroup;
  #domains = new Map<string, UpstreamGroup>();
  #servers = new Map<string, UpstreamServer>();

  /** Wires the parts; there are no servers yet. */
  constructor(options: UpstreamServersOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#capacity = new Capacity(options.maxQueries ?? QUERIES_MAX);
    this.#default = this.#newGroup();
  }

  /** Puts other servers in force; what is known of those that stay is kept. */
  replaceServers({ servers, domains }: ServerSet): void {
    const before = this.#servers;
    const groupsBefore = this.#domains;
    this.#servers = new Map();
    this.#default.servers = this.#kept(servers, before);
    this.#domains = new Map(domains.map(({ domain, servers }) => {
      const group = groupsBefore.get(domain) ?? this.#newGroup();
      group.servers = this.#kept(servers, before);
      return [domain, group];
    }));
    for (const [name, server] of before) if (!this.#servers.has(name)) server.close();
  }

  /** The group that is asked for a name: part of the key under which an answer is cached. */
  groupOf(name: string): string {
    if (this.#domains.size === 0) return DEFAULT_GROUP;
    for (let domain: string | undefined = name; domain !== undefined; domain = parentOf(domain)) {
      if (this.#domains.has(domain)) return domain;
    }
    return DEFAULT_GROUP;
  }

  /**
   * Asks the group of the name; where its answer's chain leads into another group, or ends before it
   * says anything, the group of that name for the rest. An answer or a failure comes after 4.5 seconds at the latest. Never rejects.
   */
  async exchange(request: UpstreamRequest): Promise<UpstreamOutcome> {
    const deadlineMs = this.#clock.monotonicMs() + GIVE_UP_MS;
    const { question } = request;
    const group = this.groupOf(question.name);
    const outcome = await this.#ask(group, request, deadlineMs);
    if (outcome.kind === "failure") return outcome;
    return await this.#completeChain(request, outcome, { group, deadlineMs });
  }

  /** What is known of each server of each group, the best first. */
  status(): GroupServerStatus[] {
    return [
      ...this.#default.ranked().map((server) => server.status()),
      ...[...this.#domains].flatMap(([domain, group]) =>
        group.ranked().map((server) => ({ ...server.status(), domain }))
      ),
    ];
  }

  /** Ends what is going on in the background: probes, idle connections. */
  close(): void {
    this.replaceServers({ servers: [], domains: [] });
  }

  async #completeChain(
    request: UpstreamRequest,
    first: UpstreamOutcome & { kind: "answer" },
    { group, deadlineMs }: { group: string; deadlineMs: number },
  ): Promise<UpstreamOutcome> {
    const { question } = request;
    const isAnsweredHere = (target: string) =>
      this.#options.isAnsweredHere?.({ ...question, name: target }) ?? false;
    let whole = first;
    let name = question.name;
    /** Records of groups before the one that was asked last. */
    let head = first.answer.answers.slice(0, 0);
    for (;;) {
      const tail = whole.answer.answers.slice(head.length);
      const cut = cutChain(
        { ...question, name },
        tail,
        (target) => this.groupOf(target) !== group,
      ) ?? openChain({ ...question, name }, { ...whole.answer, answers: tail });
      head = [...head, ...cut?.records ?? tail];
      if (chainLength(head) > CNAME_CHAIN_MAX) {
        const reason = `a chain of more than ${CNAME_CHAIN_MAX} CNAMEs over several answers`;
        return { kind: "failure", reason, timedOut: false };
      }
      if (cut === undefined) return whole;
      if (isAnsweredHere(cut.target)) {
        return { ...whole, answer: { ...whole.answer, answers: head, authority: [] } };
      }
      name = cut.target;
      group = this.groupOf(name);
      const rest = await this.#ask(
        group,
        { ...request, question: { ...question, name } },
        deadlineMs,
      );
      if (rest.kind === "failure") return rest;
      whole = {
        kind: "answer",
        server: `${whole.server}, ${rest.server}`,
        roundTripMs: whole.roundTripMs + rest.roundTripMs,
        answer: {
          ...rest.answer,
          authenticated: whole.answer.authenticated && rest.answer.authenticated,
          answers: [...head, ...rest.answer.answers],
        },
      };
    }
  }

  async #ask(
    group: string,
    request: UpstreamRequest,
    deadlineMs: number,
  ): Promise<UpstreamOutcome> {
    const domain = this.#domains.get(group);
    if (domain !== undefined) return domain.exchange(request, deadlineMs);
    const outcome = await this.#default.exchange(request, deadlineMs);
    const { mayBePrivate } = this.#options;
    if (outcome.kind === "failure" || mayBePrivate?.(request.question.name) !== false) {
      return outcome;
    }
    return { ...outcome, answer: withoutPrivateAddresses(outcome.answer) };
  }

  #newGroup(): UpstreamGroup {
    return new UpstreamGroup({ ...this.#options, capacity: this.#capacity });
  }

  /** One object for each server, however many groups it is in. */
  #kept(
    servers: readonly Nameserver[],
    before: ReadonlyMap<string, UpstreamServer>,
  ): UpstreamServer[] {
    const kept = new Set<UpstreamServer>();
    for (const nameserver of servers) {
      const name = formatNameserver(nameserver);
      const server = this.#servers.get(name) ?? before.get(name) ??
        new UpstreamServer(nameserver, this.#options);
      this.#servers.set(name, server);
      kept.add(server);
    }
    return [...kept];
  }
}
