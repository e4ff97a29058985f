import assert from "node:assert/strict";
import { EXPLORATION_INTERVAL, ExtraQueries, HEDGES_SAVED_MAX } from "./extra_queries.ts";

Deno.test("ExtraQueries.takeHedge() gives a tenth of the questions, and a small reserve", async (t) => {
  const cases: [string, number, number][] = [
    ["at first", 0, HEDGES_SAVED_MAX],
    ["after a hundred questions that each wanted one", 100, HEDGES_SAVED_MAX + 10],
    ["after a thousand", 1_000, HEDGES_SAVED_MAX + 100],
  ];
  for (const [title, questions, most] of cases) {
    await t.step(title, () => {
      const extra = new ExtraQueries();
      let taken = 0;
      for (let i = 0; i < questions; i++) {
        extra.onQuestion();
        if (extra.takeHedge()) taken++;
      }
      while (extra.takeHedge()) taken++;
      // The reserve is full at first, so that what the first questions pay is lost.
      assert.ok(taken <= most && taken >= most - 2, `${taken} hedges`);
    });
  }
  await t.step("after a quiet day", () => {
    const extra = new ExtraQueries();
    for (let i = 0; i < 10_000; i++) extra.onQuestion();
    let taken = 0;
    while (extra.takeHedge()) taken++;
    assert.equal(taken, HEDGES_SAVED_MAX);
  });
});

Deno.test("ExtraQueries.onQuestion() explores now and then", () => {
  const extra = new ExtraQueries();
  const explored = Array.from({ length: 3 * EXPLORATION_INTERVAL }, () => extra.onQuestion());
  assert.equal(explored.filter((explores) => explores).length, 3);
  assert.equal(explored[0], false);
});
