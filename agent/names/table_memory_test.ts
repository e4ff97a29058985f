import assert from "node:assert/strict";
import { TableMemory } from "./table_memory.ts";

const MIB = 1 << 20;

Deno.test("TableMemory.take() gives what was released, fits, and is read by nobody", () => {
  const inUse = new Set<SharedArrayBuffer>();
  const memory = new TableMemory((buffer) => inUse.has(buffer));
  const [small, large] = [new SharedArrayBuffer(MIB), new SharedArrayBuffer(3 * MIB)];
  assert.equal(memory.take(1), undefined);
  memory.release(small);
  memory.release(large);
  assert.equal(memory.take(4 * MIB), undefined, "none is large enough");
  assert.equal(memory.take(1_000), undefined, "all are far too large");
  inUse.add(large);
  assert.equal(memory.take(2 * MIB), undefined, "it is read");
  inUse.delete(large);
  assert.equal(memory.take(2 * MIB), large);
  assert.equal(memory.take(2 * MIB), undefined, "it was given away");
  assert.equal(memory.take(MIB), small);
});

Deno.test("TableMemory keeps the two buffers that were released last", () => {
  const memory = new TableMemory(() => false);
  const buffers = Array.from({ length: 4 }, () => new SharedArrayBuffer(MIB));
  for (const buffer of buffers) memory.release(buffer);
  assert.deepEqual([memory.take(MIB), memory.take(MIB), memory.take(MIB)], [
    buffers[2],
    buffers[3],
    undefined,
  ]);
});
