import assert from "node:assert/strict";
import { parseTestSummary } from "./test_summary.ts";

Deno.test("parseTestSummary() reads the line that deno test ends with", async (t) => {
  const cases: [string, string, [number, number, number] | undefined][] = [
    ["all passed", "...\n\nok | 2 passed | 0 failed (26ms)\n", [2, 0, 0]],
    ["with steps", "\nok | 190 passed (1 step) | 0 failed (26s)\n", [190, 0, 0]],
    ["a failure", "FAILED | 5 passed (419 steps) | 1 failed (2 steps) (1s)\n", [5, 1, 0]],
    ["ignored", "ok | 1 passed | 0 failed | 3 ignored (2 steps) (1s)\n", [1, 0, 3]],
    ["filtered", "ok | 1 passed | 0 failed | 4 filtered out (1s)\n", [1, 0, 0]],
    ["none", "\nok | 0 passed | 0 failed (1ms)\n", [0, 0, 0]],
    [
      "a test that prints such a line itself",
      "ok | 9 passed | 0 failed (1ms)\n\nFAILED | 1 passed | 2 failed (1ms)\n",
      [1, 2, 0],
    ],
    ["a run that was cut short", "......", undefined],
    ["the words in another place", "error: 3 passed | 0 failed", undefined],
  ];
  for (const [title, output, expected] of cases) {
    await t.step(title, () => {
      const counts = parseTestSummary(output);
      assert.deepEqual(counts && [counts.passed, counts.failed, counts.skipped], expected);
    });
  }
});
