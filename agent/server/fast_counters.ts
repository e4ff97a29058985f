/**
 * What a worker of the fast path counts, in shared memory: one block of words for each worker, which it
 * alone writes; the main thread reads what was added since it read last. Words may wrap around, which
 * differences bear, as long as they are read more often than every four billion queries.
 *
 * @module
 */
import { ANSWER_BUCKETS, answerBucket } from "../metrics/answer_durations.ts";
import type { FastAnswers } from "../metrics/agent_metrics.ts";
import { FastSource } from "./fast_answer.ts";

/** Types by number; from this one on they share word 0. */
const TYPES = 256;
const SOURCES = 2;
const RCODES = 16;
const BUCKETS = ANSWER_BUCKETS.length + 1;

const QUERIES = 0;
const ANSWERS = QUERIES + TYPES;
const LATENCIES = ANSWERS + SOURCES * RCODES;
const MICROSECONDS = LATENCIES + SOURCES * BUCKETS;
const SHED = MICROSECONDS + SOURCES;
const UNSENT = SHED + 1;
const WORDS = UNSENT + 1;

/** Counts for one worker. */
export class FastCounters {
  readonly #words: Int32Array;
  /** Answers of the batch under way. */
  readonly #batch = new Int32Array(SOURCES);

  /** Counts in `memory`, see {@link countersMemory}. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** A query was answered. */
  onAnswer(type: number, source: number, rcode: number): void {
    this.#words[QUERIES + (type < TYPES ? type : 0)]++;
    this.#words[ANSWERS + source * RCODES + rcode]++;
    this.#batch[source]++;
  }

  /** The batch was sent: each of its queries took so long, in milliseconds. */
  onBatch(tookMs: number): void {
    const bucket = answerBucket(tookMs / 1000);
    const microseconds = Math.round(tookMs * 1000);
    for (let source = 0; source < SOURCES; source++) {
      const count = this.#batch[source];
      if (count === 0) continue;
      this.#words[LATENCIES + source * BUCKETS + bucket] += count;
      this.#words[MICROSECONDS + source] += count * microseconds;
      this.#batch[source] = 0;
    }
  }

  /** A query could not be handed over, since too many wait. */
  onShed(): void {
    this.#words[SHED]++;
  }

  /** So many answers could not be sent. */
  onUnsent(count: number): void {
    this.#words[UNSENT] += count;
  }
}

/** Memory for the counters of one worker. */
export function countersMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(4 * WORDS);
}

/** What workers counted. */
export interface FastCounts {
  /** Queries that were answered, by type. */
  queries: [type: number, count: number][];
  /** Answers by source. */
  answers: FastAnswers[];
  /** Queries that could not be handed over. */
  shed: number;
  /** Answers that could not be sent. */
  unsent: number;
}

/** Reads what one worker counts. */
export class FastCountersReader {
  readonly #words: Int32Array;
  #before = new Int32Array(WORDS);

  /** Reads `memory`. */
  constructor(memory: SharedArrayBuffer) {
    this.#words = new Int32Array(memory);
  }

  /** What was counted since the last call. */
  take(): FastCounts {
    const now = new Int32Array(WORDS);
    for (let i = 0; i < WORDS; i++) now[i] = Atomics.load(this.#words, i);
    const before = this.#before;
    this.#before = now;
    const added = (word: number) => now[word] - before[word] >>> 0;
    const addedOf = (word: number, count: number) =>
      Array.from({ length: count }, (_, i): [number, number] => [i, added(word + i)])
        .filter(([, more]) => more > 0);
    const answersOf = (name: FastAnswers["source"], source: number): FastAnswers => ({
      source: name,
      rcodes: addedOf(ANSWERS + source * RCODES, RCODES),
      buckets: addedOf(LATENCIES + source * BUCKETS, BUCKETS),
      seconds: added(MICROSECONDS + source) / 1e6,
    });
    return {
      queries: addedOf(QUERIES, TYPES),
      answers: [answersOf("mesh", FastSource.MESH), answersOf("cache", FastSource.CACHE)],
      shed: added(SHED),
      unsent: added(UNSENT),
    };
  }
}
