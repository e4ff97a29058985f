/**
 * What the cache costs a query, with few answers in it and with many.
 *
 * @module
 */
import { AnswerCache } from "../../../agent/cache/answer_cache.ts";
import { cacheKey } from "../../../agent/cache/cache_key.ts";
import { localAnswer } from "../../../agent/dns/answer.ts";
import { addressRecord } from "../../../agent/dns/record.ts";

const nameOf = (i: number) => `host-${i}.service.example.org`;
const keyOf = (i: number) =>
  cacheKey(
    {
      question: { name: nameOf(i), type: 1, class: 1 },
      dnssecOk: false,
      checkingDisabled: false,
    },
    "default",
  );
const answerOf = (i: number) =>
  localAnswer({
    answers: [1, 2].map((last) =>
      addressRecord(nameOf(i), Uint8Array.of(192, 0, 2, last), { ttlSeconds: 300 })
    ),
  });

for (const count of [1_000, 100_000]) {
  const keys = Array.from({ length: count }, (_, i) => keyOf(i));
  const answers = keys.map((_, i) => answerOf(i));
  const filled = (maxBytes: number) => {
    const cache = new AnswerCache({ maxBytes });
    keys.forEach((key, i) => cache.put(key, answers[i], 0));
    return cache;
  };
  const group = `${count} answers`;
  // Steps of a large prime visit every key, none of them twice in a row.
  let i = 0;
  const next = () => i = (i + 7_919) % count;
  const roomy = filled(1024 ** 3);
  Deno.bench(`get, ${count} answers`, { group, baseline: true }, () => {
    roomy.get(keys[next()], 1_000);
  });
  const absent = keyOf(-1);
  Deno.bench(`get what is not there, ${count} answers`, { group }, () => {
    roomy.get(absent, 1_000);
  });
  Deno.bench(`put again, ${count} answers`, { group }, () => {
    roomy.put(keys[next()], answers[i], 0);
  });
  const full = filled(roomy.bytes / 2);
  Deno.bench(`put where another must make room, ${count} answers`, { group }, () => {
    full.put(keys[next()], answers[i], 0);
  });
}
