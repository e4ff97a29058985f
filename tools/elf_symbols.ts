/**
 * Takes the symbol table out of an ELF binary: of Deno's runtime it is 24 MB of 108, read by debuggers and by
 * nothing at run time (what is linked at run time stands in .dynsym). Like `strip`, which is not everywhere.
 *
 * (System V ABI, chapter 4: e_shoff at 40, e_shnum at 60, e_shstrndx at 62; of a section header the type is
 * at 4, the offset at 24, the size at 32, the link at 40.)
 *
 * @module
 */
import { ElfError } from "./denort_elf.ts";

const HEADER_OCTETS = 64;
const SHT_SYMTAB = 2;

/**
 * The binary without its symbols; the same one where it has none.
 *
 * @param binary a 64-bit little-endian ELF file whose last sections are its symbols, their names and those of
 * the sections, as linkers leave it
 * @throws {ElfError} when they are not
 */
export function withoutSymbols(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.length);
  const headersAt = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  if (count < 4 || headersAt + count * HEADER_OCTETS > binary.length) {
    throw new ElfError("the section headers are not whole");
  }
  const headerAt = (index: number) => headersAt + index * HEADER_OCTETS;
  const typeOf = (index: number) => view.getUint32(headerAt(index) + 4, true);
  const symbols = Array.from({ length: count }, (_, i) => i).filter((i) =>
    typeOf(i) === SHT_SYMTAB
  );
  if (symbols.length === 0) return binary;
  const last = count - 1;
  if (
    symbols.join() !== `${count - 3}` || view.getUint16(62, true) !== last ||
    view.getUint32(headerAt(count - 3) + 40, true) !== count - 2
  ) {
    throw new ElfError("the last sections are not symbols, their names and those of the sections");
  }
  const offsetOf = (index: number) => Number(view.getBigUint64(headerAt(index) + 24, true));
  const start = offsetOf(count - 3);
  const names = binary.subarray(
    offsetOf(last),
    offsetOf(last) + Number(view.getBigUint64(headerAt(last) + 32, true)),
  );
  if (offsetOf(count - 2) < start || offsetOf(last) < start || headersAt < start) {
    throw new ElfError("something else lies behind the symbols");
  }
  const newHeadersAt = Math.ceil((start + names.length) / 8) * 8;
  const stripped = new Uint8Array(newHeadersAt + (count - 2) * HEADER_OCTETS);
  stripped.set(binary.subarray(0, start));
  stripped.set(names, start);
  stripped.set(binary.subarray(headersAt, headerAt(count - 3)), newHeadersAt);
  const namesAt = newHeadersAt + (count - 3) * HEADER_OCTETS;
  stripped.set(binary.subarray(headerAt(last), headerAt(count)), namesAt);
  const changed = new DataView(stripped.buffer);
  changed.setBigUint64(namesAt + 24, BigInt(start), true);
  changed.setBigUint64(40, BigInt(newHeadersAt), true);
  changed.setUint16(60, count - 2, true);
  changed.setUint16(62, count - 3, true);
  return stripped;
}
