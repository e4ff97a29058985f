/**
 * Durations as stories write them: `300 ms`, `1.8 s`, `5 min`, `2 h`, `3 d`.
 *
 * @module
 */

const UNIT_MS: Record<string, number> = {
  ms: 1,
  s: 1_000,
  min: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The pattern of a duration, to be a part of others. */
export const DURATION = "\\d+(?:\\.\\d+)? (?:ms|s|min|h|d)";

/** Reads a duration. @throws {Error} where it is none */
export function parseDurationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?) (ms|s|min|h|d)$/.exec(text);
  if (match === null) throw new Error(`"${text}" is no duration, e.g. 300 ms, 1.8 s, 5 min, 2 h`);
  return Math.round(Number(match[1]) * UNIT_MS[match[2]] * 1000) / 1000;
}
