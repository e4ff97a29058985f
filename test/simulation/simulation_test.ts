import assert from "node:assert/strict";
import { runSeed } from "./run_seed.ts";
import { seedStory } from "./seed_story.ts";

/** Seeds of each run of the tests; `deno task simulate` plays thousands. */
const SEEDS = 24;

Deno.test(`simulation: ${SEEDS} seeds of clients, servers, faults and pushes break no promise`, async (t) => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    await t.step(`seed ${seed}`, async () => {
      const result = await runSeed(seed);
      if (result.violations.length > 0) assert.fail(seedStory(result));
      assert.ok(result.questions > 0);
    });
  }
});

Deno.test("simulation: the same seed is the same run, octet for octet", async () => {
  const [one, other] = [await runSeed(7), await runSeed(7)];
  assert.equal(one.trace.join("\n"), other.trace.join("\n"));
  assert.notEqual(one.trace.join("\n"), (await runSeed(8)).trace.join("\n"));
});
