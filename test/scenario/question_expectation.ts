/**
 * What a story expects of a question that a server gets: `www.example.org A, by TCP, no EDNS, 2 times`.
 *
 * @module
 */
import type { AskedQuestion } from "./scripted_server.ts";

/** What is expected. */
export interface QuestionExpectation {
  /** `www.example.org A`; undefined for anything. */
  question: string | undefined;
  words: string[];
  times: number;
}

const WORDS: { pattern: RegExp; holds(question: AskedQuestion, match: string[]): boolean }[] = [
  { pattern: /^by (UDP|TCP)$/, holds: ({ transport }, [by]) => transport === by },
  { pattern: /^EDNS (\d+)$/, holds: ({ edns }, [payload]) => edns === Number(payload) },
  { pattern: /^no EDNS$/, holds: ({ edns }) => edns === undefined },
  { pattern: /^(no )?DO$/, holds: ({ dnssecOk }, [no]) => dnssecOk === (no === undefined) },
  {
    pattern: /^(no )?CD$/,
    holds: ({ checkingDisabled }, [no]) => checkingDisabled === (no === undefined),
  },
];

/** Reads an expectation. @throws {Error} for words that say nothing about a question */
export function parseQuestionExpectation(text: string): QuestionExpectation {
  const [head, ...rest] = text.split(", ");
  const anything = head === "something";
  if (!anything && !/^\S+ [A-Z][A-Z0-9]*$/.test(head)) {
    throw new Error(`"${head}" is no question: NAME TYPE, or "something"`);
  }
  const expectation: QuestionExpectation = {
    question: anything ? undefined : head,
    words: [],
    times: 1,
  };
  for (const word of rest) {
    const times = /^(\d+) times$/.exec(word);
    if (times !== null) expectation.times = Number(times[1]);
    else if (WORDS.some(({ pattern }) => pattern.test(word))) expectation.words.push(word);
    else throw new Error(`"${word}" says nothing about a question`);
  }
  return expectation;
}

/** What is wrong with a question; empty where nothing is. */
export function compareQuestion(expected: QuestionExpectation, asked: AskedQuestion): string[] {
  const wrong: string[] = [];
  // Letter case may be mixed on purpose (0x20).
  const text = `${asked.name.toLowerCase() || "."} ${asked.type}`;
  if (expected.question !== undefined && expected.question !== text) {
    wrong.push(`it is not "${expected.question}"`);
  }
  for (const word of expected.words) {
    const { pattern, holds } = WORDS.find(({ pattern }) => pattern.test(word))!;
    if (!holds(asked, pattern.exec(word)!.slice(1))) wrong.push(`"${word}" does not hold`);
  }
  return wrong;
}

/** A question as a story would tell it. */
export function describeQuestion(asked: AskedQuestion): string {
  const words = [
    `${asked.name || "."} ${asked.type}`,
    `by ${asked.transport}`,
    asked.edns === undefined ? "no EDNS" : `EDNS ${asked.edns}`,
    ...asked.dnssecOk ? ["DO"] : [],
    ...asked.checkingDisabled ? ["CD"] : [],
  ];
  return words.join(", ");
}
