/**
 * What an answer is kept under: everything that may change the answer to a question.
 *
 * @module
 */
import type { Question } from "../dns/query.ts";

/** The flags of a query that may change its answer, as a key holds them. */
export const KeyFlag = { DO: 1, CD: 2 } as const;

/** The key of a question. */
export function cacheKey(
  request: { question: Question; dnssecOk: boolean; checkingDisabled: boolean },
  upstreamGroup: string,
): string {
  const { name, type, class: recordClass } = request.question;
  const flags = (request.dnssecOk ? KeyFlag.DO : 0) | (request.checkingDisabled ? KeyFlag.CD : 0);
  // A canonical name holds no space.
  return `${name} ${type} ${recordClass} ${flags} ${upstreamGroup}`;
}

/** The question that a {@link cacheKey} was made of, and its {@link KeyFlag}s. */
export function questionOf(key: string): { question: Question; flags: number } {
  const [name, type, recordClass, flags] = key.split(" ");
  const question = { name, type: Number(type), class: Number(recordClass) };
  return { question, flags: Number(flags) };
}
