/**
 * Waiting for what real sockets and files bring about.
 *
 * @module
 */
import assert from "node:assert/strict";

/** Waits until `condition` holds; fails after `limitMs`. */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  limitMs = 5_000,
): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!await condition()) {
    if (performance.now() > endMs) assert.fail(`waited ${limitMs} ms in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
