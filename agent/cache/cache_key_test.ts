import assert from "node:assert/strict";
import { cacheKey, questionOf } from "./cache_key.ts";

Deno.test("cacheKey() tells apart what has different answers", () => {
  const question = { name: "a.example", type: 1, class: 1 };
  const base = { question, dnssecOk: false, checkingDisabled: false };
  const keys = [
    cacheKey(base, "g"),
    cacheKey({ ...base, dnssecOk: true }, "g"),
    cacheKey({ ...base, checkingDisabled: true }, "g"),
    cacheKey({ ...base, question: { ...question, type: 28 } }, "g"),
    cacheKey({ ...base, question: { ...question, class: 3 } }, "g"),
    cacheKey({ ...base, question: { ...question, name: "b.example" } }, "g"),
    cacheKey(base, "h"),
  ];
  assert.equal(new Set(keys).size, keys.length);
});

Deno.test("questionOf() reads what cacheKey() wrote", () => {
  for (const name of ["", "a.example", "odd\\032name.example"]) {
    for (const flags of [0, 1, 2, 3]) {
      const question = { name, type: 28, class: 1 };
      const request = {
        question,
        dnssecOk: (flags & 1) !== 0,
        checkingDisabled: (flags & 2) !== 0,
      };
      assert.deepEqual(questionOf(cacheKey(request, "corp.example")), { question, flags });
    }
  }
});
