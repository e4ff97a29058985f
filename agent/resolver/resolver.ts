/**
 * The resolver: what is answered to one question, and by whom. The whole chain is visible in
 * {@link Resolver.answerHere} and {@link Resolver.forward}; the parts it calls are pure or below.
 *
 * Knows nothing of sockets, clients or the control plane.
 *
 * @module
 */
import type { AnswerCache } from "../cache/answer_cache.ts";
import { cacheKey } from "../cache/answer_cache.ts";
import { type Answer, failureAnswer } from "../dns/answer.ts";
import { ExtendedErrorCode, Rcode, RecordType } from "../dns/codes.ts";
import { decodeName } from "../dns/name.ts";
import type { Question } from "../dns/query.ts";
import { answerClusterDomain, answerSpecialName, type LocalOutcome } from "../names/local_zones.ts";
import { lookupMesh, type MeshView } from "../names/mesh_lookup.ts";
import type { NameTable } from "../names/name_table.ts";
import type { Clock } from "../system/clock.ts";
import type { Random } from "../system/random.ts";
import type { UpstreamOutcome } from "../upstream/upstream_group.ts";

/** One question of one client, as far as its answer depends on it. */
export interface ResolverRequest {
  /** What is asked; class IN. */
  question: Question;
  /** DO. */
  dnssecOk: boolean;
  /** CD. */
  checkingDisabled: boolean;
}

/** Which part answered. */
export type AnswerSource = "mesh" | "local" | "cache" | "upstream" | "failure";

/** An answer and where it comes from. */
export interface Resolution {
  /** The answer. */
  answer: Answer;
  /** Which part gave it. */
  source: AnswerSource;
  /** Why, a step a line, in words. */
  why: string[];
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

/** Who is asked for what is not answered here. */
export interface Upstream {
  /** Never rejects; has an answer or a failure within 4.5 s. */
  exchange(request: ResolverRequest): Promise<UpstreamOutcome>;
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
}

/** The name of the one group of upstream servers; part of each cache key. */
const UPSTREAM_GROUP = "default";

/** Answers questions: mesh, then cache, then upstream. */
export class Resolver {
  readonly #cache: AnswerCache;
  readonly #upstream: Upstream;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #inFlight = new Map<string, Promise<Resolution>>();
  #mesh: MeshState;

  /** Wires the parts; does nothing yet. */
  constructor(options: ResolverOptions) {
    this.#mesh = options.mesh;
    this.#cache = options.cache;
    this.#upstream = options.upstream;
    this.#clock = options.clock;
    this.#random = options.random;
  }

  /** Puts a new table or view in force, for every question from now on. */
  replaceMesh(mesh: MeshState): void {
    this.#mesh = mesh;
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
    const hit = this.#cache.get(this.#key(request), this.#clock.monotonicMs());
    if (hit === undefined) return undefined;
    return this.#completed(question, {
      answer: hit.answer,
      source: "cache",
      why: [`cached ${Math.floor(hit.ageSeconds)} s ago, for ${hit.remainingSeconds} s more`],
    });
  }

  /**
   * Asks upstream; identical questions that are in flight are asked once. Call it when
   * {@link answerHere} had no answer. Never rejects.
   */
  forward(request: ResolverRequest): Promise<Resolution> {
    const key = this.#key(request);
    const present = this.#inFlight.get(key);
    if (present !== undefined) return present;
    const pending = this.#forward(key, request).finally(() => this.#inFlight.delete(key));
    this.#inFlight.set(key, pending);
    return pending;
  }

  async #forward(key: string, request: ResolverRequest): Promise<Resolution> {
    const outcome = await this.#upstream.exchange(request);
    const answer = outcome.kind === "answer" ? outcome.answer : failureAnswer(Rcode.SERVFAIL, {
      code: outcome.timedOut
        ? ExtendedErrorCode.NO_REACHABLE_AUTHORITY
        : ExtendedErrorCode.NETWORK_ERROR,
      text: outcome.reason,
    });
    this.#cache.put(key, answer, this.#clock.monotonicMs());
    if (outcome.kind === "failure") return { answer, source: "failure", why: [outcome.reason] };
    return this.#completed(request.question, {
      answer,
      source: "upstream",
      why: [`asked ${outcome.server}, which took ${Math.round(outcome.roundTripMs)} ms`],
    });
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
      return {
        answer: {
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

  #key(request: ResolverRequest): string {
    return cacheKey(request, UPSTREAM_GROUP);
  }
}

function local({ answer, reason, final }: LocalOutcome): Resolution {
  return { answer, source: final ? "local" : "failure", why: [reason] };
}
