import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { bootTimeMs } from "./boot_clock.ts";

Deno.test("bootTimeMs() is the kernel's uptime, to the microsecond", () => {
  const uptimeMs = () => Number(readFileSync("/proc/uptime", "utf8").split(" ")[0]) * 1000;
  // The file has hundredths of a second, cut off.
  const [before, reading, after] = [uptimeMs(), bootTimeMs(), uptimeMs()];
  assert.ok(before <= reading && reading < after + 10, `${before} ${reading} ${after}`);
  const readings = Array.from({ length: 1000 }, bootTimeMs);
  assert.deepEqual(readings.toSorted((a, b) => a - b), readings);
  assert.ok(readings.some((ms, i) => i > 0 && ms - readings[i - 1] < 0.1));
});
