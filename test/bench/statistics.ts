/**
 * What is made of the rounds' numbers.
 *
 * @module
 */

/** One metric over all rounds. */
export interface Spread {
  /** The middle one; of an even count the mean of both in the middle. */
  median: number;
  /** The least. */
  min: number;
  /** The greatest. */
  max: number;
}

/** Names of metrics, with their values in one round. */
export type Metrics = Record<string, number>;

/** The median of numbers. @throws without any */
export function medianOf(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error("No median of nothing");
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Each metric that any round has. */
export function spreadsOf(rounds: readonly Metrics[]): Record<string, Spread> {
  const spreads: Record<string, Spread> = {};
  for (const name of new Set(rounds.flatMap((round) => Object.keys(round)))) {
    const numbers = rounds.filter((round) => name in round).map((round) => round[name]);
    spreads[name] = {
      median: medianOf(numbers),
      min: Math.min(...numbers),
      max: Math.max(...numbers),
    };
  }
  return spreads;
}

/**
 * The median of what each round of one gives against the same round of another: what the machine did
 * in a round, it did to both. Undefined where no round has both.
 */
export function ratioOf(
  rounds: readonly (number | undefined)[],
  against: readonly (number | undefined)[],
): number | undefined {
  const ratios = rounds.flatMap((number, i) => {
    const other = against[i];
    return number === undefined || other === undefined || other === 0 ? [] : [number / other];
  });
  return ratios.length === 0 ? undefined : medianOf(ratios);
}
