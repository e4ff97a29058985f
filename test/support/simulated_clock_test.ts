import assert from "node:assert/strict";
import { sleep } from "../../agent/system/clock.ts";
import { SeededRandom } from "./seeded_random.ts";
import { SimulatedClock } from "./simulated_clock.ts";

Deno.test("SimulatedClock runs timers at their time, in order, and lets promises settle between", async () => {
  const clock = new SimulatedClock();
  const ran: string[] = [];
  const note = (name: string) => () => void ran.push(`${name} at ${clock.monotonicMs()}`);
  clock.schedule(30, note("c"));
  clock.schedule(10, note("a"));
  clock.schedule(10, note("b"));
  clock.schedule(20, note("never"))();
  void sleep(clock, 5).then(() => sleep(clock, 10)).then(note("slept twice"));
  await clock.advance(29);
  assert.deepEqual(ran, ["a at 10", "b at 10", "slept twice at 15"]);
  assert.equal(clock.pendingCount, 1);
  assert.equal(await clock.runUntil(() => ran.length === 4, 1_000), true);
  assert.equal(clock.monotonicMs(), 30);
  assert.equal(await clock.runUntil(() => false, 70), false);
  assert.equal(clock.monotonicMs(), 100);
});

Deno.test("SimulatedClock keeps any number of timers in order", async () => {
  const clock = new SimulatedClock();
  const random = new SeededRandom(1);
  const due = Array.from({ length: 500 }, () => random.between(0, 100));
  const ran: number[] = [];
  for (const [i, ms] of due.entries()) {
    const cancel = clock.schedule(ms, () => ran.push(ms));
    if (i % 5 === 0) cancel();
  }
  await clock.advance(100);
  assert.deepEqual(ran, due.filter((_, i) => i % 5 !== 0).sort((a, b) => a - b));
});

Deno.test("SimulatedClock jumps with the wall clock alone", () => {
  const clock = new SimulatedClock("2026-01-01T00:00:00Z");
  clock.jumpWall(-1_000);
  assert.equal(new Date(clock.wallMs()).toISOString(), "2025-12-31T23:59:59.000Z");
  assert.equal(clock.monotonicMs(), 0);
});

Deno.test("SeededRandom repeats itself, and differs by seed and purpose", () => {
  const draw = (...parameters: [number, string?]) => {
    const random = new SeededRandom(...parameters);
    return Array.from({ length: 8 }, () => random.uint16());
  };
  assert.deepEqual(draw(1, "a"), draw(1, "a"));
  assert.notDeepEqual(draw(1, "a"), draw(2, "a"));
  assert.notDeepEqual(draw(1, "a"), draw(1, "b"));
  const random = new SeededRandom(3);
  const dice = Array.from({ length: 6_000 }, () => random.between(1, 6));
  for (let face = 1; face <= 6; face++) {
    const count = dice.filter((one) => one === face).length;
    assert.ok(count > 850 && count < 1_150, `${face}: ${count}`);
  }
});
