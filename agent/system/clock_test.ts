import assert from "node:assert/strict";
import { countingSleep, systemClock } from "./clock.ts";

/** A machine that is awake or asleep; its uptime is told in whole seconds, as sysinfo(2) rounds it: up. */
function make(bootedMs = 12_345_678) {
  let awakeMs = 250;
  let asleepMs = 0;
  const read = countingSleep(
    () => awakeMs,
    () => Math.ceil((bootedMs + awakeMs + asleepMs) / 1000),
  );
  return {
    read,
    wake: (ms: number) => awakeMs += ms,
    sleep: (ms: number) => asleepMs += ms,
  };
}

Deno.test("countingSleep() counts a sleep within a second of being awake", () => {
  const { read, wake, sleep } = make();
  wake(5_000);
  const startMs = read();
  sleep(8 * 3_600_000);
  wake(1_000);
  const sleptMs = read() - startMs - 1_000;
  assert.ok(Math.abs(sleptMs - 8 * 3_600_000) <= 1_000, String(sleptMs));
  // And once only.
  const beforeMs = read();
  wake(10_000);
  assert.equal(read() - beforeMs, 10_000);
});

Deno.test("countingSleep() adds nothing while the machine is awake, whatever the rounding, and never goes back", () => {
  for (let bootedMs = 0; bootedMs < 1_000; bootedMs += 37) {
    const { read, wake } = make(bootedMs);
    const startMs = read();
    let beforeMs = startMs;
    for (let i = 0; i < 500; i++) {
      wake(333);
      assert.ok(read() >= beforeMs);
      beforeMs = read();
    }
    assert.equal(beforeMs - startMs, 500 * 333);
  }
});

Deno.test("systemClock.monotonicMs() runs as performance.now() does on a machine that stays awake", () => {
  const [before, reading, after] = [
    performance.now(),
    systemClock.monotonicMs(),
    performance.now(),
  ];
  const lagMs = reading - before;
  assert.ok(lagMs >= 0 && (lagMs <= after - before || lagMs >= 2_000));
});
