import assert from "node:assert/strict";
import {
  compareHealth,
  HEDGE_MIN_MS,
  HEDGE_UNKNOWN_MS,
  probeDelayMs,
  ServerHealth,
} from "./server_health.ts";

/** A server that took so many milliseconds each time; `x` is a failure. */
function health(history: string): ServerHealth {
  const health = new ServerHealth();
  for (const word of history.split(" ").filter((word) => word !== "")) {
    if (word === "x") health.failed("no answer in 1000 ms");
    else health.answered(Number(word));
  }
  return health;
}

Deno.test("ServerHealth.usualMaxMs is what a server takes, with room", async (t) => {
  const cases: [string, string, number, number][] = [
    ["never heard of", "", HEDGE_UNKNOWN_MS, HEDGE_UNKNOWN_MS],
    ["failed only", "x x", HEDGE_UNKNOWN_MS, HEDGE_UNKNOWN_MS],
    ["in the next room", "1 1 1 1", HEDGE_MIN_MS, HEDGE_MIN_MS],
    ["far away, heard once", "100", 300, 300],
    ["far away and steady", "100 ".repeat(40), 100, 101],
    ["far away and uneven", "50 150 ".repeat(40), 200, 400],
  ];
  for (const [title, history, least, most] of cases) {
    await t.step(title, () => {
      const { usualMaxMs } = health(history);
      assert.ok(usualMaxMs >= least && usualMaxMs <= most, `${usualMaxMs} ms`);
    });
  }
});

Deno.test("ServerHealth tells death and return", () => {
  const server = health("10 x x");
  assert.equal(server.isDead, false);
  assert.equal(server.failed("refused"), true, "that was its death");
  assert.equal(server.failed("refused"), false, "it dies once");
  assert.equal(server.isDead && server.lastError, "refused");
  assert.equal(server.answered(20), true, "it had been dead");
  assert.equal(server.isDead, false);
  assert.equal(server.lastError, "");
  assert.equal(server.answered(20), false);
});

Deno.test("compareHealth() ranks", async (t) => {
  const cases: [string, string[], string[]][] = [
    ["the faster first", ["20", "10"], ["10", "20"]],
    ["the unknown before all", ["1", ""], ["", "1"]],
    ["who failed behind who did not, however fast", ["1 x", "400"], ["400", "1 x"]],
    ["the dead last", ["1 x x x", "1 x", "9"], ["9", "1 x", "1 x x x"]],
    ["who failed and came back in its old place", ["20", "10 x 10"], ["10 x 10", "20"]],
    ["equals as they were configured", ["5 x", "5 x"], ["5 x", "5 x"]],
  ];
  for (const [title, servers, ranked] of cases) {
    await t.step(title, () => {
      const known = servers.map((history) => ({ history, health: health(history) }));
      known.sort((a, b) => compareHealth(a.health, b.health));
      assert.deepEqual(known.map(({ history }) => history), ranked);
    });
  }
});

Deno.test("probeDelayMs() backs off, with bounds", async (t) => {
  const cases: [number, number, number][] = [
    [0, 0, 500],
    [0, 0.5, 750],
    [1, 0.5, 1_500],
    [5, 0.5, 24_000],
    [6, 0.5, 45_000],
    [10_000, 0.999, 59_970],
  ];
  for (const [probes, fraction, delayMs] of cases) {
    await t.step(`after ${probes} in vain`, () => {
      assert.equal(Math.round(probeDelayMs(probes, fraction)), delayMs);
    });
  }
});
