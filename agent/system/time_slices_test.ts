import assert from "node:assert/strict";
import { ManualClock } from "../../test/support/manual_clock.ts";
import { runInSlices, SLICE_MS } from "./time_slices.ts";

Deno.test("runInSlices() pauses after each slice, and gives what the steps return", async () => {
  const clock = new ManualClock();
  let nowMs = 0;
  const pauses: number[] = [];
  const timed = {
    wallMs: () => 0,
    monotonicMs: () => nowMs,
    schedule(delayMs: number, callback: () => void) {
      pauses.push(nowMs);
      return clock.schedule(delayMs, callback);
    },
  };
  function* steps(): Generator<void, string> {
    for (let i = 0; i < 10; i++) {
      nowMs += SLICE_MS / 2;
      yield;
    }
    return "done";
  }
  const running = runInSlices(steps(), timed);
  await clock.advance(0);
  assert.equal(await running, "done");
  assert.deepEqual(pauses, [1, 2, 3, 4, 5].map((slice) => slice * SLICE_MS));
});

Deno.test("runInSlices() rejects with what a step throws", async () => {
  // deno-lint-ignore require-yield
  function* steps(): Generator<void, string> {
    throw new Error("no");
  }
  await assert.rejects(runInSlices(steps(), new ManualClock()), /no/);
});
