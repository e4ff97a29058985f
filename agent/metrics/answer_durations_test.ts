import assert from "node:assert/strict";
import { Histogram, Registry } from "prom-client";
import type { Metric } from "prom-client";
import { ANSWER_BUCKETS, AnswerDurations } from "./answer_durations.ts";

const DOC = { name: "answer_seconds", help: "How long answers take." };

async function exposed(metric: object): Promise<string[]> {
  const registry = new Registry();
  registry.registerMetric(metric as Metric);
  return (await registry.metrics()).split("\n").filter((line) => line !== "").sort();
}

Deno.test("AnswerDurations is exposed as prom-client exposes its own histogram", async () => {
  const own = new AnswerDurations(DOC);
  const peer = new Histogram({
    ...DOC,
    labelNames: ["source"],
    buckets: [...ANSWER_BUCKETS],
    registers: [],
  });
  for (const [source, seconds] of [["mesh", .00005], ["mesh", .2], ["cache", 0], ["mesh", 60]]) {
    own.observe(String(source), Number(seconds));
    peer.observe({ source: String(source) }, Number(seconds));
  }
  assert.deepEqual(await exposed(own), await exposed(peer));
});

Deno.test("AnswerDurations.add() counts as many observations", async () => {
  const one = new AnswerDurations(DOC);
  const many = new AnswerDurations(DOC);
  for (let i = 0; i < 4; i++) one.observe("cache", .25);
  many.add("cache", { bucket: 9, count: 4, seconds: 1 });
  assert.deepEqual(await exposed(many), await exposed(one));
});
