import assert from "node:assert/strict";
import { architectureOf, cutProgram, ElfError } from "./denort_elf.ts";

const text = (string: string) => new TextEncoder().encode(string);

/** A small ELF file: header, two program headers, content, names, section headers. */
function runtime(): Uint8Array<ArrayBuffer> {
  const names = text("\0.text\0.shstrtab\0");
  const content = text("code of the runtime: \0.text and more");
  const namesAt = 64 + 2 * 56 + content.length;
  const headersAt = Math.ceil((namesAt + names.length) / 8) * 8;
  const file = new Uint8Array(headersAt + 2 * 64);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  file.set(content, 64 + 2 * 56);
  file.set(names, namesAt);
  setHeader(file, { programs: [64, 2], sections: [headersAt, 2], names: 1 });
  setSection(file, headersAt, { nameAt: 1, offset: 64 + 2 * 56, size: content.length });
  setSection(file, headersAt + 64, { nameAt: 7, offset: namesAt, size: names.length });
  return file;
}

/** The same with a program in it, as `deno compile` does it. */
function compiled(base: Uint8Array, { gap = 0 } = {}): Uint8Array<ArrayBuffer> {
  const view = new DataView(base.buffer);
  const headersAt = Number(view.getBigUint64(40, true));
  const names = text("\0.text\0.shstrtab\0.sui.phdrs\0.note.sui\0");
  const appendedAt = 4096;
  const programsAt = appendedAt;
  const noteAt = programsAt + 4 * 56;
  const namesAt = noteAt + 100;
  const newHeadersAt = Math.ceil((namesAt + names.length) / 8) * 8;
  const file = new Uint8Array(newHeadersAt + 4 * 64);
  file.set(base);
  file[base.length + 10] = gap;
  file.fill(7, noteAt, namesAt);
  file.set(names, namesAt);
  file.set(base.subarray(headersAt, headersAt + 128), newHeadersAt);
  setHeader(file, { programs: [programsAt, 4], sections: [newHeadersAt, 4], names: 1 });
  setSection(file, newHeadersAt + 64, { nameAt: 7, offset: namesAt, size: names.length });
  setSection(file, newHeadersAt + 128, { nameAt: 17, offset: programsAt, size: 4 * 56 });
  setSection(file, newHeadersAt + 192, { nameAt: 28, offset: noteAt, size: 100 });
  return file;
}

function setHeader(
  file: Uint8Array,
  { programs, sections, names }: { programs: number[]; sections: number[]; names: number },
): void {
  const view = new DataView(file.buffer);
  view.setBigUint64(32, BigInt(programs[0]), true);
  view.setBigUint64(40, BigInt(sections[0]), true);
  [64, 56, programs[1], 64, sections[1], names].forEach((value, i) => {
    view.setUint16(52 + 2 * i, value, true);
  });
}

function setSection(
  file: Uint8Array,
  at: number,
  { nameAt, offset, size }: { nameAt: number; offset: number; size: number },
): void {
  const view = new DataView(file.buffer);
  view.setUint32(at, nameAt, true);
  view.setBigUint64(at + 24, BigInt(offset), true);
  view.setBigUint64(at + 32, BigInt(size), true);
}

Deno.test("cutProgram() gives the runtime back byte for byte", () => {
  const base = runtime();
  assert.deepEqual(cutProgram(compiled(base)), base);
});

const sectionAt = (file: Uint8Array, index: number) =>
  Number(new DataView(file.buffer).getBigUint64(40, true)) + 64 * index;
const namesOf = (file: Uint8Array) =>
  Number(new DataView(file.buffer).getBigUint64(sectionAt(file, 1) + 24, true)) + 1;

/** The whole file with one 16-bit or 64-bit field of it changed. */
function changed(
  whole: Uint8Array<ArrayBuffer>,
  at: number,
  value: number | bigint,
): Uint8Array<ArrayBuffer> {
  const file = whole.slice();
  const view = new DataView(file.buffer);
  if (typeof value === "bigint") view.setBigUint64(at, value, true);
  else view.setUint16(at, value, true);
  return file;
}

Deno.test("cutProgram() refuses what it does not know", async (t) => {
  const whole = compiled(runtime());
  const cases: [string, Uint8Array<ArrayBuffer>, RegExp][] = [
    ["nothing", new Uint8Array(0), /not a 64-bit/],
    ["no ELF file", new Uint8Array(100), /not a 64-bit/],
    ["a runtime without a program", runtime(), /the last sections are not/],
    ["a file cut short", whole.subarray(0, whole.length - 65), /section headers are not whole/],
    ["section headers beyond the file", changed(whole, 40, 2n ** 60n), /headers are not whole/],
    ["sections of another size", changed(whole, 58, 40), /section headers are not whole/],
    ["no section headers at all", changed(whole, 60, 0), /no section of names/],
    ["names in no section", changed(whole, 62, 9), /no section of names/],
    ["no program headers", changed(whole, 56, 2), /program headers are not in/],
    ["program headers elsewhere", changed(whole, 32, 64n), /program headers are not in/],
    [
      "a section beyond the file",
      changed(whole, sectionAt(whole, 0) + 32, 1n << 40n),
      /section 0 ends/,
    ],
    ["names cut short", changed(whole, sectionAt(whole, 1) + 32, 20n), /too short/],
    ["other names than before", changed(whole, namesOf(whole), 0x4141), /names of before/],
    [
      "another section than before",
      changed(whole, sectionAt(whole, 0) + 8, 5n),
      /header of section 0 is not what it was/,
    ],
    ["something in the gap", compiled(runtime(), { gap: 1 }), /something else/],
  ];
  for (const [title, file, reason] of cases) {
    await t.step(title, () => {
      assert.throws(
        () => cutProgram(file.slice()),
        (error: unknown) => error instanceof ElfError && reason.test(error.message),
      );
    });
  }
});

Deno.test("architectureOf() reads what a binary is for", () => {
  const cases: [string, Uint8Array, string | undefined][] = [
    ["x86_64", changed(runtime(), 18, 62), "x86_64"],
    ["aarch64", changed(runtime(), 18, 183), "aarch64"],
    ["another machine", changed(runtime(), 18, 243), undefined],
    ["no ELF file", new Uint8Array(64), undefined],
    ["nothing", new Uint8Array(0), undefined],
  ];
  for (const [what, binary, expected] of cases) {
    assert.equal(architectureOf(binary), expected, what);
  }
});
