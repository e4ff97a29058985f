/**
 * The fast path under fuzz: what it answers is what the slow path answers, octet by octet, and it writes
 * nowhere else.
 *
 * @module
 */
import assert from "node:assert/strict";
import { bothPaths, isSlowAnswer, VIEW } from "../support/both_paths.ts";
import { generateTable } from "../support/generated_table.ts";
import type { Numbers } from "./mutator.ts";

const { slow, fast } = bothPaths(generateTable(1, 200), { ...VIEW, namespace: "ns1" });

/** A query is left to the slow path, untouched, or answered as that one would. */
export function runFastPath(packet: Uint8Array, numbers: Numbers): string {
  // Most would end at the header otherwise.
  if (numbers() % 4 !== 0 && packet.length >= 12) {
    packet.set([numbers() & 1, numbers() & 0x30, 0, 1, 0, 0, 0, 0, 0, numbers() & 1], 2);
  }
  // A message that a slot has no room for is cut.
  const answer = fast(packet.subarray(0, 4096));
  if (answer === undefined) return "left";
  assert.ok(isSlowAnswer(slow, packet, answer), "the slow path answers otherwise");
  return answer[9] === 0 ? "addresses" : "no addresses";
}
