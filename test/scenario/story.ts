/**
 * The text of a story: a title, then a blank line, then statements, each on a line of its own with what
 * belongs to it indented below. `#` begins a comment line. Nothing is skipped: a line that is no
 * statement is a problem that names its place.
 *
 * @module
 */
import { BlockError, STATEMENTS, type Step } from "./statements.ts";

/** A story that can be played. */
export interface Story {
  /** Path, for messages. */
  file: string;
  /** What it shows, in one sentence. */
  title: string;
  /** Its lines, to be shown again. */
  lines: string[];
  /** Its statements in order. */
  steps: { line: number; step: Step }[];
}

/** A story that cannot be read: every problem, `FILE:LINE: what is wrong`. */
export class StorySyntaxError extends Error {
  readonly problems: string[];

  constructor(problems: string[]) {
    super(problems.join("\n"));
    this.problems = problems;
  }
}

/** Reads a story. @throws {StorySyntaxError} */
export function parseStory(text: string, { file }: { file: string }): Story {
  const lines = text.replace(/\n$/, "").split("\n");
  const problems: string[] = [];
  const problem = (line: number, what: string) => problems.push(`${file}:${line}: ${what}`);
  const title = lines[0].trim();
  if (title === "" || title.startsWith("#")) problem(1, "a story begins with its title");
  else if (lines.length > 1 && lines[1].trim() !== "") problem(2, "a blank line follows the title");
  const steps: Story["steps"] = [];
  for (let at = 1; at < lines.length;) {
    const line = at + 1;
    const statement = lines[at++];
    if (isBlank(statement)) continue;
    if (/^\s/.test(statement)) {
      problem(line, "an indented line belongs to a statement, and there is none above it");
      continue;
    }
    const block: { line: number; text: string }[] = [];
    for (; at < lines.length && (/^\s/.test(lines[at]) || lines[at].startsWith("#")); at++) {
      if (isBlank(lines[at])) continue;
      if (!lines[at].startsWith("  ")) problem(at + 1, "a block is indented by two spaces");
      block.push({ line: at + 1, text: lines[at].slice(2) });
    }
    try {
      steps.push({ line, step: readStatement(statement.trimEnd(), block.map(({ text }) => text)) });
    } catch (error) {
      const place = error instanceof BlockError ? block[error.index].line : line;
      problem(place, (error as Error).message);
    }
  }
  if (steps.length === 0 && problems.length === 0) problem(1, "a story has statements");
  if (problems.length > 0) throw new StorySyntaxError(problems);
  return { file, title, lines, steps };
}

function readStatement(text: string, block: string[]): Step {
  for (const { pattern, read, block: allowed, form } of STATEMENTS) {
    const match = pattern.exec(text);
    if (match === null) continue;
    if (block.length > 0 && allowed === undefined) {
      throw new BlockError(0, `nothing is indented below "${form}"`);
    }
    return read(match.slice(1), block);
  }
  throw new Error(
    `"${text}" is no statement; there are:\n${
      STATEMENTS.map(({ form }) => `    ${form}`).join("\n")
    }`,
  );
}

function isBlank(line: string): boolean {
  return /^\s*(#|$)/.test(line);
}
