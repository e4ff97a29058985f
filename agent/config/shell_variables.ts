/**
 * Files of shell variables (`NAME='value'` lines), read without a shell: nothing in them is ever run or
 * expanded. What a shell would expand is a problem instead, so that no value is taken for another. Pure.
 *
 * Quoting is that of POSIX, Shell Command Language 2.2.
 *
 * @module
 */

/** One assignment. */
export interface ShellVariable {
  /** E.g. `CA_ADDR`. */
  name: string;
  /** Its value, quotes removed. */
  value: string;
  /** Line of its name, from 1. */
  line: number;
}

/**
 * Reads the assignments of a text; of several of one name the last counts, as in a shell.
 *
 * @returns problems as `LINE: what is wrong` beside what could be read
 */
export function parseShellVariables(
  text: string,
): { variables: Map<string, ShellVariable>; problems: string[] } {
  const variables = new Map<string, ShellVariable>();
  const problems: string[] = [];
  const reader = new Reader(text.replaceAll("\r\n", "\n"));
  while (!reader.atEnd) {
    const { line } = reader;
    try {
      const variable = reader.statement();
      if (variable !== undefined) variables.set(variable.name, { ...variable, line });
    } catch (error) {
      if (!(error instanceof Problem)) throw error;
      problems.push(`${line}: ${error.message}`);
      reader.skipLine();
    }
  }
  return { variables, problems };
}

class Problem extends Error {}

class Reader {
  line = 1;
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** One line, or several where a quoted value spans them; undefined for an empty one. */
  statement(): { name: string; value: string } | undefined {
    this.#take(/[ \t]*/y);
    if (this.#endOfLine()) return undefined;
    this.#take(/export[ \t]+/y);
    const [, name] = this.#take(/([A-Za-z_][A-Za-z0-9_]*)=/y) ??
      fail("must be NAME=value; nothing else is read from here, and nothing is run");
    const value = this.#word();
    this.#take(/[ \t]*/y);
    if (!this.#endOfLine()) fail(`${name}: a value with blanks must be quoted`);
    return { name, value };
  }

  skipLine(): void {
    this.#take(/[^\n]*\n?/y);
  }

  /** Whether the line ends here, but for a comment; goes on to the next one then. */
  #endOfLine(): boolean {
    return this.#take(/(?:#[^\n]*)?(?:\n|$)/y) !== undefined;
  }

  #word(): string {
    let value = "";
    for (;;) {
      const plain = this.#take(/[^\s'"\\$`;&|<>()]+/y)?.[0];
      if (plain !== undefined) value += plain;
      else if (this.#take(/'/y)) value += this.#singleQuoted();
      else if (this.#take(/"/y)) value += this.#doubleQuoted();
      else if (this.#take(/\\\n/y)) continue;
      else if (this.#take(/\\/y)) value += this.#take(/[^]/y)?.[0] ?? "";
      else if (this.#take(/[$`]/y)) fail(EXPANSION);
      else if (this.#take(/[;&|<>()]/y)) fail("only NAME=value is read; quote the value");
      else return value;
    }
  }

  #singleQuoted(): string {
    const [, value] = this.#take(/([^']*)'/y) ?? fail("a quote ' is not closed");
    return value;
  }

  #doubleQuoted(): string {
    let value = "";
    for (;;) {
      value += this.#take(/[^"\\$`]+/y)?.[0] ?? "";
      if (this.#take(/"/y)) return value;
      if (this.#take(/\\\n/y)) continue;
      const escaped = this.#take(/\\([$`"\\])/y)?.[1] ?? this.#take(/\\/y)?.[0];
      if (escaped !== undefined) value += escaped;
      else if (this.atEnd) fail('a quote " is not closed');
      else fail(EXPANSION);
    }
  }

  #take(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) return undefined;
    this.#at = pattern.lastIndex;
    this.line += match[0].split("\n").length - 1;
    return match;
  }
}

const EXPANSION = "$ and ` are not expanded here; put the value itself, in single quotes";

function fail(message: string): never {
  throw new Problem(message);
}
