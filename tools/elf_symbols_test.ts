import assert from "node:assert/strict";
import { withoutSymbols } from "./elf_symbols.ts";

const TEXT = "the code";
const NAMES = "\0.text\0.symtab\0.strtab\0.shstrtab\0";

/** A small ELF file: header, code, symbols, their names, those of the sections, five section headers. */
function binary(): Uint8Array {
  const parts = [TEXT, "symbols!", "\0main\0", NAMES].map((part) => new TextEncoder().encode(part));
  const offsets = parts.map((_, i) => 64 + parts.slice(0, i).reduce((sum, p) => sum + p.length, 0));
  const headersAt = 160;
  const file = new Uint8Array(headersAt + 5 * 64);
  parts.forEach((part, i) => file.set(part, offsets[i]));
  const view = new DataView(file.buffer);
  view.setBigUint64(40, BigInt(headersAt), true);
  view.setUint16(60, 5, true);
  view.setUint16(62, 4, true);
  [1, 2, 3, 3].forEach((type, i) => {
    const at = headersAt + (i + 1) * 64;
    view.setUint32(at + 4, type, true);
    view.setBigUint64(at + 24, BigInt(offsets[i]), true);
    view.setBigUint64(at + 32, BigInt(parts[i].length), true);
  });
  view.setUint32(headersAt + 2 * 64 + 40, 3, true);
  return file;
}

Deno.test("withoutSymbols() leaves code and names of sections, and nothing to take out twice", () => {
  const stripped = withoutSymbols(binary());
  const view = new DataView(stripped.buffer);
  const headersAt = Number(view.getBigUint64(40, true));
  const text = (index: number) => {
    const at = headersAt + index * 64;
    const start = Number(view.getBigUint64(at + 24, true));
    const octets = stripped.subarray(start, start + Number(view.getBigUint64(at + 32, true)));
    return new TextDecoder().decode(octets);
  };
  assert.deepEqual([view.getUint16(60, true), view.getUint16(62, true)], [3, 2]);
  assert.equal(text(1), TEXT);
  assert.equal(text(2), NAMES);
  assert.equal(stripped.length, headersAt + 3 * 64);
  assert.ok(!new TextDecoder().decode(stripped).includes("symbols!"));
  assert.equal(withoutSymbols(binary().fill(0, 160 + 2 * 64, 160 + 3 * 64)).length, 480);
});

Deno.test("withoutSymbols() refuses what it does not know", () => {
  const changed = (at: number, value: number) => {
    const file = binary();
    new DataView(file.buffer).setUint16(at, value, true);
    return file;
  };
  const cases: [string, Uint8Array][] = [
    ["too many section headers", changed(60, 9)],
    ["names elsewhere", changed(62, 3)],
    ["symbols with other names", changed(160 + 2 * 64 + 40, 1)],
    ["two tables of symbols", changed(160 + 64 + 4, 2)],
  ];
  for (const [what, file] of cases) {
    assert.throws(() => withoutSymbols(file), { name: "Error" }, what);
  }
});
