/**
 * ELF files for tests of what reads them.
 *
 * @module
 */

/** What is in an {@link elfFile}. */
export const ELF_PARTS = {
  text: "the code",
  symbols: "symbols!",
  names: "\0.text\0.symtab\0.strtab\0.shstrtab\0",
} as const;

/**
 * A small ELF file: header, code, symbols, their names, those of the sections, and at 160 five section headers.
 *
 * @param machine what it is for, e.g. 62 for x86_64
 */
export function elfFile(machine = 62): Uint8Array<ArrayBuffer> {
  const { text, symbols, names } = ELF_PARTS;
  const parts = [text, symbols, "\0main\0", names].map((part) => new TextEncoder().encode(part));
  const offsets = parts.map((_, i) => 64 + parts.slice(0, i).reduce((sum, p) => sum + p.length, 0));
  const headersAt = 160;
  const file = new Uint8Array(headersAt + 5 * 64);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  parts.forEach((part, i) => file.set(part, offsets[i]));
  const view = new DataView(file.buffer);
  view.setUint16(18, machine, true);
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
