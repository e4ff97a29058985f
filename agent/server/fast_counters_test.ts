import assert from "node:assert/strict";
import { answerBucket } from "../metrics/answer_durations.ts";
import { FastSource } from "./fast_answer.ts";
import { countersMemory, FastCounters, FastCountersReader } from "./fast_counters.ts";

Deno.test("FastCountersReader.take() gives what was counted since the last time", () => {
  const memory = countersMemory();
  const counters = new FastCounters(memory);
  const reader = new FastCountersReader(memory);
  counters.onAnswer(1, FastSource.MESH, 0);
  counters.onAnswer(1, FastSource.MESH, 0);
  counters.onAnswer(28, FastSource.CACHE, 3);
  counters.onAnswer(65_280, FastSource.CACHE, 0);
  counters.onBatch(0.5);
  counters.onShed();
  counters.onUnsent(3);
  const bucket = answerBucket(0.0005);
  assert.deepEqual(reader.take(), {
    queries: [[0, 1], [1, 2], [28, 1]],
    answers: [
      { source: "mesh", rcodes: [[0, 2]], buckets: [[bucket, 2]], seconds: 0.001 },
      { source: "cache", rcodes: [[0, 1], [3, 1]], buckets: [[bucket, 2]], seconds: 0.001 },
    ],
    shed: 1,
    unsent: 3,
  });
  counters.onAnswer(1, FastSource.MESH, 0);
  counters.onBatch(20_000);
  const { queries, answers, shed } = reader.take();
  assert.deepEqual(queries, [[1, 1]]);
  assert.deepEqual(answers[0].buckets, [[answerBucket(Infinity), 1]]);
  assert.deepEqual(answers[1], { source: "cache", rcodes: [], buckets: [], seconds: 0 });
  assert.equal(shed, 0);
});

Deno.test("FastCountersReader.take() bears a word that wraps around", () => {
  const memory = countersMemory();
  const words = new Int32Array(memory);
  words.fill(-1);
  const reader = new FastCountersReader(memory);
  reader.take();
  const counters = new FastCounters(memory);
  counters.onAnswer(1, FastSource.MESH, 0);
  counters.onAnswer(1, FastSource.MESH, 0);
  assert.deepEqual(reader.take().queries, [[1, 2]]);
});
