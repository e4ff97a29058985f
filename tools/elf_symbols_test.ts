import assert from "node:assert/strict";
import { ELF_PARTS, elfFile } from "../test/support/elf_file.ts";
import { withoutSymbols } from "./elf_symbols.ts";

Deno.test("withoutSymbols() leaves code and names of sections, and nothing to take out twice", () => {
  const stripped = withoutSymbols(elfFile());
  const view = new DataView(stripped.buffer);
  const headersAt = Number(view.getBigUint64(40, true));
  const text = (index: number) => {
    const at = headersAt + index * 64;
    const start = Number(view.getBigUint64(at + 24, true));
    const octets = stripped.subarray(start, start + Number(view.getBigUint64(at + 32, true)));
    return new TextDecoder().decode(octets);
  };
  assert.deepEqual([view.getUint16(60, true), view.getUint16(62, true)], [3, 2]);
  assert.equal(text(1), ELF_PARTS.text);
  assert.equal(text(2), ELF_PARTS.names);
  assert.equal(stripped.length, headersAt + 3 * 64);
  assert.ok(!new TextDecoder().decode(stripped).includes(ELF_PARTS.symbols));
  assert.equal(withoutSymbols(elfFile().fill(0, 160 + 2 * 64, 160 + 3 * 64)).length, 480);
});

Deno.test("withoutSymbols() refuses what it does not know", () => {
  const changed = (at: number, value: number) => {
    const file = elfFile();
    new DataView(file.buffer).setUint16(at, value, true);
    return file;
  };
  const cases: [string, Uint8Array<ArrayBuffer>][] = [
    ["too many section headers", changed(60, 9)],
    ["names elsewhere", changed(62, 3)],
    ["symbols with other names", changed(160 + 2 * 64 + 40, 1)],
    ["two tables of symbols", changed(160 + 64 + 4, 2)],
  ];
  for (const [what, file] of cases) {
    assert.throws(() => withoutSymbols(file), { name: "Error" }, what);
  }
});
