import assert from "node:assert/strict";
import fc from "fast-check";
import { TimerQueue } from "./timer_queue.ts";

/** A queue on a runtime whose time is moved by hand. */
class Fixture {
  nowMs = 0.25;
  /** What the runtime was asked for, at most one at a time. */
  armedMs: number | undefined;
  sets = 0;
  #callback: () => void = () => {};
  readonly queue = new TimerQueue({
    nowMs: () => this.nowMs,
    set: (callback, delayMs) => {
      assert.equal(this.armedMs, undefined, "one timer at a time");
      this.#callback = callback;
      this.armedMs = this.nowMs + delayMs;
      return ++this.sets;
    },
    clear: () => this.armedMs = undefined,
  });

  /** Moves time on to `ms`, over every timer of the runtime's on the way. */
  advanceTo(ms: number): void {
    while (this.armedMs !== undefined && this.armedMs <= ms) {
      this.nowMs = Math.max(this.nowMs, this.armedMs);
      this.armedMs = undefined;
      this.#callback();
    }
    this.nowMs = ms;
  }
}

Deno.test("TimerQueue calls in the order of time, and of setting within a millisecond", () => {
  const fixture = new Fixture();
  const called: string[] = [];
  const at = (delayMs: number, name: string) =>
    fixture.queue.schedule(delayMs, () => called.push(`${name} ${Math.floor(fixture.nowMs)}`));
  at(20, "c");
  at(10, "a");
  at(10.2, "b");
  at(0, "first");
  at(-5, "second");
  fixture.advanceTo(15);
  assert.deepEqual(called, ["first 1", "second 1", "a 11", "b 11"]);
  fixture.advanceTo(30);
  assert.equal(called.at(-1), "c 21");
  assert.equal(fixture.armedMs, undefined);
});

Deno.test("TimerQueue: what is cancelled is not called, and nothing stays armed behind the last", () => {
  const fixture = new Fixture();
  const called: string[] = [];
  const cancelA = fixture.queue.schedule(10, () => called.push("a"));
  const cancelB = fixture.queue.schedule(10, () => called.push("b"));
  cancelA();
  cancelA();
  assert.notEqual(fixture.armedMs, undefined);
  fixture.advanceTo(11);
  assert.deepEqual(called, ["b"]);
  cancelB();
  const cancel = fixture.queue.schedule(5_000, () => {});
  assert.notEqual(fixture.armedMs, undefined);
  cancel();
  assert.equal(fixture.armedMs, undefined, "or the process would wait for it");
});

Deno.test("TimerQueue: a callback may set and cancel timers, and one that throws harms no other", () => {
  const fixture = new Fixture();
  const called: string[] = [];
  let turns = 0;
  const again = () => {
    if (++turns < 50) fixture.queue.schedule(0, again);
  };
  again();
  const cancel = fixture.queue.schedule(10, () => called.push("never"));
  fixture.queue.schedule(9, () => cancel());
  fixture.queue.schedule(12, () => {
    throw new Error("of this");
  });
  fixture.queue.schedule(12, () => called.push("after it"));
  assert.throws(() => fixture.advanceTo(100), { message: "of this" });
  fixture.advanceTo(100);
  assert.deepEqual(called, ["after it"]);
  assert.equal(turns, 50);
});

Deno.test("TimerQueue does what a timer each would do", () => {
  const operation = fc.record({
    delayMs: fc.integer({ min: 0, max: 60 }),
    cancels: fc.option(fc.nat(30)),
    advanceMs: fc.integer({ min: 0, max: 15 }),
  });
  fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const fixture = new Fixture();
    const called: number[] = [];
    const model: { dueMs: number; state: "set" | "cancelled" }[] = [];
    const cancels: (() => void)[] = [];
    for (const { delayMs, cancels: cancelled, advanceMs } of operations) {
      const n = model.length;
      model.push({ dueMs: Math.floor(fixture.nowMs + delayMs) + 1, state: "set" });
      cancels.push(fixture.queue.schedule(delayMs, () => called.push(n)));
      if (cancelled !== null && cancelled <= n) {
        if (!called.includes(cancelled)) model[cancelled].state = "cancelled";
        cancels[cancelled]();
      }
      fixture.advanceTo(fixture.nowMs + advanceMs);
      const due = model.map(({ dueMs, state }, i) => ({ dueMs, state, i }))
        .filter(({ dueMs, state }) => state === "set" && dueMs <= fixture.nowMs);
      assert.deepEqual([...called].sort((a, b) => a - b), due.map(({ i }) => i));
    }
  }));
});
