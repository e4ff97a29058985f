/**
 * How long answers take, by the part that gave them: a histogram to which whole counts can be added, as
 * the workers of the fast path bring them; prom-client's own takes one observation after the other.
 *
 * @module
 */

/** Upper bounds in seconds: from what a table lookup takes to what a question may take. */
export const ANSWER_BUCKETS: readonly number[] = [
  ...[.00005, .0001, .00025, .0005, .001, .0025, .01, .05, .1, .5, 1, 2.5, 5],
];

/** The bucket of a duration: an index of {@link ANSWER_BUCKETS}, or its length past the last. */
export function answerBucket(seconds: number): number {
  let bucket = 0;
  while (bucket < ANSWER_BUCKETS.length && seconds > ANSWER_BUCKETS[bucket]) bucket++;
  return bucket;
}

interface Tally {
  /** By bucket; the last one is what lies past all bounds. */
  counts: number[];
  seconds: number;
}

/** The histogram, in the form that a registry of prom-client takes metrics in. */
export class AnswerDurations {
  /** Prometheus type. */
  readonly type = "histogram";
  /** Name of the metric. */
  readonly name: string;
  /** What it says. */
  readonly help: string;
  readonly #tallies = new Map<string, Tally>();

  /** Makes an empty one. */
  constructor({ name, help }: { name: string; help: string }) {
    this.name = name;
    this.help = help;
  }

  /** Counts one answer. */
  observe(source: string, seconds: number): void {
    this.add(source, { bucket: answerBucket(seconds), count: 1, seconds });
  }

  /** Counts `count` answers of one bucket, which took `seconds` together. */
  add(source: string, more: { bucket: number; count: number; seconds: number }): void {
    const tally = this.#tally(source);
    tally.counts[more.bucket] += more.count;
    tally.seconds += more.seconds;
  }

  #tally(source: string): Tally {
    let tally = this.#tallies.get(source);
    if (tally === undefined) {
      tally = { counts: new Array(ANSWER_BUCKETS.length + 1).fill(0), seconds: 0 };
      this.#tallies.set(source, tally);
    }
    return tally;
  }

  /** The values, as prom-client's registry asks for them. */
  get(): Promise<{
    name: string;
    help: string;
    type: string;
    values: { metricName: string; labels: Record<string, string | number>; value: number }[];
  }> {
    const { name, help, type } = this;
    const values = [...this.#tallies].flatMap(([source, { counts, seconds }]) => {
      let below = 0;
      const buckets = counts.map((count, bucket) => ({
        metricName: `${name}_bucket`,
        labels: { le: ANSWER_BUCKETS[bucket] ?? "+Inf", source },
        value: below += count,
      }));
      return [
        ...buckets,
        { metricName: `${name}_sum`, labels: { source }, value: seconds },
        { metricName: `${name}_count`, labels: { source }, value: below },
      ];
    });
    return Promise.resolve({ name, help, type, values });
  }
}
