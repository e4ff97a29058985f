/**
 * The commands of README.md, for tests that run them as they are written.
 *
 * @module
 */
import assert from "node:assert/strict";

/** The README. */
export const README = await Deno.readTextFile(new URL("../../README.md", import.meta.url));

/** All commands of its `sh` blocks. */
export function allCommands(): string[] {
  return [...README.matchAll(/```sh\n([\s\S]*?)```/g)].flatMap(([, block]) => commandsIn(block));
}

/** The commands of the block below `<!-- test: MARK -->`. */
export function markedCommands(mark: string): string[] {
  const block = new RegExp(`<!-- test: ${mark} -->\\s*\`\`\`sh\\n([\\s\\S]*?)\`\`\``).exec(README);
  assert.ok(block !== null, `the README has no block marked "${mark}"`);
  return commandsIn(block[1]);
}

/** Lines that end in a backslash go on. */
function commandsIn(block: string): string[] {
  return block.replaceAll(/\\\n\s*/g, "").trim().split("\n");
}
