import assert from "node:assert/strict";
import fc from "fast-check";
import { SegmentedStore } from "./segmented_store.ts";

function make(maxBytes: number) {
  let evicted = 0;
  const store = new SegmentedStore<number>({ maxBytes, onEvicted: () => evicted++ });
  const add = (...keys: string[]) => keys.forEach((key, i) => store.set(key, i, { bytes: 10 }));
  const keys = () => [...store.entries()].map(([key]) => key).join("");
  return { store, add, keys, evicted: () => evicted };
}

Deno.test("SegmentedStore evicts the newcomer that came first", () => {
  const { add, keys, evicted } = make(30);
  add("a", "b", "c", "d");
  assert.deepEqual([keys(), evicted()], ["bcd", 1]);
});

Deno.test("SegmentedStore.use() protects from newcomers", () => {
  const { store, add, keys } = make(30);
  add("a", "b");
  store.use("a");
  add("c", "d", "e", "f");
  assert.equal(keys(), "aef");
});

Deno.test("SegmentedStore keeps a fifth for newcomers: what is protected and old gives way", () => {
  const { store, add, keys } = make(100);
  const used = [..."abcdefghij"];
  add(...used);
  for (const key of used) store.use(key);
  // "a" and "b" are on probation again, and the first to go: there is room for two newcomers.
  add("x", "y");
  assert.equal(keys(), "cdefghijxy");
  add("z");
  assert.equal(keys(), "cdefghijyz");
});

Deno.test("SegmentedStore.set() keeps the rank of what is there", () => {
  const { store, add, keys } = make(30);
  add("a", "b");
  store.use("a");
  store.set("a", 7, { bytes: 15 });
  add("c", "d");
  assert.equal(keys(), "ad");
  assert.deepEqual([store.use("a"), store.bytes], [7, 25]);
});

Deno.test("SegmentedStore.set() never evicts what it sets", () => {
  const { store, add, keys } = make(30);
  add("a", "b", "c");
  assert.equal(store.set("a", 1, { bytes: 25 }), true);
  assert.equal(keys(), "a");
  assert.equal(store.set("a", 1, { bytes: 31 }), false);
  assert.deepEqual([keys(), store.bytes], ["", 0]);
});

Deno.test("SegmentedStore.resize() lets go what is too much", () => {
  const { store, add, keys } = make(30);
  add("a", "b", "c");
  store.use("a");
  store.resize(10);
  assert.deepEqual([keys(), store.bytes], ["a", 10]);
});

Deno.test("SegmentedStore stays within its bound, whatever is done to it", () => {
  const step = fc.record({
    what: fc.constantFrom("set", "set", "use", "delete", "resize"),
    key: fc.constantFrom(..."abcdefgh"),
    bytes: fc.integer({ min: 1, max: 60 }),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
    let maxBytes = 100;
    const store = new SegmentedStore<number>({ maxBytes, onEvicted() {} });
    for (const { what, key, bytes } of steps) {
      if (what === "use") store.use(key);
      else if (what === "delete") store.delete(key);
      else if (what === "resize") store.resize(maxBytes = 50 + bytes);
      else if (store.set(key, bytes, { bytes })) assert.equal(store.peek(key), bytes);
      const sizes = [...store.entries()].map(([, value]) => value);
      assert.equal(store.bytes, sizes.reduce((sum, size) => sum + size, 0));
      assert.equal(store.size, sizes.length);
      assert.ok(store.bytes <= maxBytes);
    }
  }));
});
