/**
 * The resolver: what is answered to one question, and by whom. The whole chain is visible in
 * {@link Resolver.answerHere} and {@link Resolver.forward}; the parts it calls are pure or below.
 *
 * Knows nothing of sockets, clients or the control plane.
 *
 * @module
 */
import type { AnswerCache, KeptAnswer } from "../cache/answer_cache.ts";
import type { Answer } from "../dns/answer.ts";
import { openChain } from "../dns/cname_chain.ts";
import { Rcode, RecordType } from "../dns/codes.ts";
import { decodeName } from "../dns/name.ts";
import type { Question } from "../dns/query.ts";
import { answerClusterDomain, answerSpecialName, type LocalOutcome } from "../names/local_zones.ts";
import { lookupMesh, type MeshView } from "../names/mesh_lookup.ts";
import type { NameTable } from "../names/name_table.ts";
import type { Clock } from "../system/clock.ts";
import type { Random } from "../system/random.ts";
import {
  CachedUpstream,
  type ForwardedAnswer,
  type ForwardedRequest,
  type Upstream,
} from "./cached_upstream.ts";

/** One question of one client, as far as its answer depends on it. */
export type ResolverRequest = ForwardedRequest;

/** Which part answered. */
export type AnswerSource = "mesh" | "local" | ForwardedAnswer["source"];

/** An answer and where it comes from. */
export interface Resolution {
  /** The answer. */
  answer: Answer;
  /** Which part gave it. */
  source: AnswerSource;
  /** Why, a step a line, in words. */
  why: string[];
  /** What of the cache it is a copy of; absent where that has ended or the mesh added something to it. */
  kept?: KeptAnswer;
}

/** The mesh as it is known now. */
export interface MeshState {
  /** The table; empty at first. */
  table: NameTable;
  /** False until the control plane's first table: a name that is not in it may yet come. */
  complete: boolean;
  /** How this node sees it. */
  view: MeshView;
}

/** What a {@link Resolver} is made of. */
export interface ResolverOptions {
  /** The mesh at first. */
  mesh: MeshState;
  /** Answers of upstream servers. */
  cache: AnswerCache;
  /** The upstream servers. */
  upstream: Upstream;
  /** Ages the cache. */
  clock: Clock;
  /** Rotates addresses. */
  random: Random;
  /**
   * Called when what was answered from the cache is perhaps answered otherwise from now on: another mesh
   * is in force, or other upstream servers.
   */
  onChanged?: () => void;
}

/** Answers questions: mesh, then cache, then upstream. */
export class Resolver {
  readonly #upstream: CachedUpstream;
  readonly #random: Random;
  readonly #onChanged: (() => void) | undefined;
  #mesh: MeshState;

  /** Wires the parts; does nothing yet. */
  constructor(options: ResolverOptions) {
    this.#mesh = options.mesh;
    this.#upstream = new CachedUpstream(options);
    this.#random = options.random;
    this.#onChanged = options.onChanged;
  }

  /** Puts a new table or view in force, for every question from now on. */
  replaceMesh(mesh: MeshState): void {
    this.#mesh = mesh;
    this.#onChanged?.();
  }

  /** The mesh in force. */
  get mesh(): MeshState {
    return this.#mesh;
  }

  /**
   * Answers at once, or undefined where only an upstream server can. The order is the policy:
   *
   * 1. special names, since no table and no server may speak for them;
   * 2. the mesh, before the cache, so that a push is in force at once;
   * 3. the rest of the cluster domain, before anything that could leak it;
   * 4. the cache.
   */
  answerHere(request: ResolverRequest): Resolution | undefined {
    const { question } = request;
    const own = this.#answerOwn(question);
    if (own !== undefined) return own;
    const cached = this.#upstream.cached(request);
    if (cached === undefined) return undefined;
    const completed = this.#completed(question, cached);
    return this.#leadsOn(question, completed) ? undefined : completed;
  }

  /**
   * Asks upstream servers; a stale answer of the cache takes the place of one that does not come. Call
   * it when {@link answerHere} had no answer. Never rejects.
   */
  async forward(request: ResolverRequest): Promise<Resolution> {
    const { question } = request;
    for (let again = false;; again = true) {
      const forwarded = await this.#upstream.ask(request);
      // A push may have come in the meantime: it is in force at once.
      const resolution = this.#answerOwn(question) ?? this.#completed(question, forwarded);
      if (again || !this.#leadsOn(question, resolution)) return resolution;
    }
  }

  /** What may be given where there is no room to ask: a stale answer, if there is one. */
  answerUnderLoad(request: ResolverRequest): Resolution | undefined {
    const stale = this.#upstream.underLoad(request);
    return stale && this.#completed(request.question, stale);
  }

  /** Whether a question, with its name as a full one, is never asked upstream: where a chain ends. */
  isAnsweredHere(question: Question): boolean {
    const view = { ...this.#mesh.view, searchDomains: [] };
    return answerSpecialName(question) !== undefined ||
      this.#answerMesh(question, view) !== undefined;
  }

  /** Forgets what is cached for `domain` and the names below it, or all; returns how many answers. */
  flushCache(domain = ""): number {
    return this.#upstream.flush(domain);
  }

  /** To be called when the upstream servers changed: what failed before may be asked again at once. */
  upstreamChanged(): void {
    this.#upstream.forgetFailures();
    this.#onChanged?.();
  }

  /**
   * Whether an answer is a chain without an end: it ended in the mesh when it was asked for, and a push
   * took the host away. Then upstream servers are to be asked anew.
   */
  #leadsOn(question: Question, { answer }: Resolution): boolean {
    return openChain(question, answer) !== undefined;
  }

  /** Steps 1 to 3: what nobody else is asked for. */
  #answerOwn(question: Question): Resolution | undefined {
    const special = answerSpecialName(question);
    if (special !== undefined) return local(special);
    return this.#answerMesh(question, this.#mesh.view);
  }

  /** Steps 2 and 3. */
  #answerMesh(question: Question, view: MeshView): Resolution | undefined {
    const { table, complete } = this.#mesh;
    const outcome = lookupMesh({ table, view }, question, this.#random.uint16());
    if (outcome.kind === "answer") {
      return { answer: outcome.answer, source: "mesh", why: [outcome.reason] };
    }
    const rest = answerClusterDomain({ table, complete, view }, question);
    return rest && local(rest);
  }

  /**
   * What the mesh has to add to an upstream server's answer: names that its chain leads to and that are
   * the mesh's, and a PTR record where the server knows none. Done at each use and never cached, so
   * that a push is in force at once here too.
   */
  #completed(question: Question, resolution: Resolution): Resolution {
    const { table, view } = this.#mesh;
    if (question.type === RecordType.PTR && resolution.answer.rcode === Rcode.NXDOMAIN) {
      const outcome = lookupMesh({ table, view }, question, 0);
      if (outcome.kind === "pass" && outcome.afterNxdomain !== undefined) {
        return {
          answer: outcome.afterNxdomain,
          source: "mesh",
          why: [...resolution.why, "which knows no name", outcome.reason],
        };
      }
    }
    return this.#withMeshTarget(question, resolution);
  }

  #withMeshTarget(question: Question, resolution: Resolution): Resolution {
    const { answers } = resolution.answer;
    for (let i = 0; i < answers.length; i++) {
      if (answers[i].type !== RecordType.CNAME || question.type === RecordType.CNAME) continue;
      const target = decodeName(answers[i].rdata, 0)!.name;
      // A target is a full name: no search domain is cut off it.
      const view = { ...this.#mesh.view, searchDomains: [] };
      const own = this.#answerMesh({ ...question, name: target }, view);
      if (own === undefined) continue;
      const { extendedError } = resolution.answer;
      return {
        answer: {
          ...extendedError && { extendedError },
          ...own.answer,
          authoritative: false,
          answers: [...answers.slice(0, i + 1), ...own.answer.answers],
        },
        source: resolution.source,
        why: [...resolution.why, `its CNAME leads to "${target}"`, ...own.why],
      };
    }
    return resolution;
  }
}

function local({ answer, reason, final }: LocalOutcome): Resolution {
  return { answer, source: final ? "local" : "failure", why: [reason] };
}
