/**
 * Takes the program out of an ELF binary that `deno compile` (2.8 and later) made, and leaves the runtime
 * that it was put into.
 *
 * `deno compile` appends two sections, `.sui.phdrs` and `.note.sui`, and points the ELF header at new
 * tables of program and section headers behind them. The tables of before are still in the file: the
 * program headers at offset 64, two fewer; the section names, without the two new ones, somewhere before
 * the appended part; and right behind those, aligned to eight octets, the section headers, two fewer.
 * (System V ABI, chapter 4: ELF header at 0, e_phoff at 32, e_shoff at 40, counts from 52.)
 *
 * @module
 */

/** A file that is not such a binary. */
export class ElfError extends Error {}

interface Section {
  nameAt: number;
  type: number;
  offset: number;
  size: number;
}

/** Of ELF, 64 bits, little-endian. */
const MAGIC = [0x7f, 0x45, 0x4c, 0x46, 2, 1];
const HEADER_OCTETS = 64;
const PROGRAM_OCTETS = 56;
const SECTION_OCTETS = 64;
/** Type of a section that takes no room in the file (.bss). */
const SHT_NOBITS = 8;
const APPENDED = [".sui.phdrs", ".note.sui"];

/**
 * The runtime alone.
 *
 * @throws {ElfError} when the binary is not laid out as described above
 */
export function cutProgram(binary: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const view = new DataView(binary.buffer, binary.byteOffset, binary.length);
  if (binary.length < HEADER_OCTETS || MAGIC.some((octet, i) => binary[i] !== octet)) {
    throw new ElfError("not a 64-bit little-endian ELF file");
  }
  const sections = readSections(view);
  const nameIndex = view.getUint16(62, true);
  const names = sections[nameIndex];
  if (names === undefined) throw new ElfError("no section of names");
  const nameOf = (section: Section) => textAt(binary, names.offset + section.nameAt);
  const last = sections.slice(-2);
  if (last.map(nameOf).join() !== APPENDED.join()) {
    throw new ElfError(`the last sections are not ${APPENDED.join(" and ")}`);
  }
  const appendedAt = last[0].offset;
  const programs = view.getUint16(56, true) - 2;
  if (programs < 1 || Number(view.getBigUint64(32, true)) !== appendedAt) {
    throw new ElfError(`the program headers are not in ${APPENDED[0]}`);
  }
  const addedNames = APPENDED.reduce((length, name) => length + name.length + 1, 0);
  if (names.size <= addedNames) throw new ElfError("the section of names is too short");
  const oldNames = binary.subarray(names.offset, names.offset + names.size - addedNames);
  const namesAt = lastIndexOf(binary.subarray(0, appendedAt), oldNames);
  if (namesAt === -1) throw new ElfError("the section names of before are not in the file");
  const headersAt = Math.ceil((namesAt + oldNames.length) / 8) * 8;
  const end = headersAt + SECTION_OCTETS * (sections.length - 2);
  if (end > appendedAt) throw new ElfError("the section headers of before are not in the file");
  const newHeadersAt = Number(view.getBigUint64(40, true));
  for (let i = 0; i < sections.length - 2; i++) {
    // The section of names itself has moved; every other one is where it was.
    if (i === nameIndex) continue;
    const at = (start: number) =>
      binary.subarray(start + i * SECTION_OCTETS, start + (i + 1) * SECTION_OCTETS);
    const now = at(newHeadersAt);
    if (at(headersAt).some((octet, j) => octet !== now[j])) {
      throw new ElfError(`the header of section ${i} is not what it was before`);
    }
  }
  if (binary.subarray(end, appendedAt).some((octet) => octet !== 0)) {
    throw new ElfError("between the runtime and its program is something else");
  }
  const runtime = binary.slice(0, end);
  const header = new DataView(runtime.buffer);
  header.setBigUint64(32, BigInt(HEADER_OCTETS), true);
  header.setBigUint64(40, BigInt(headersAt), true);
  header.setUint16(56, programs, true);
  header.setUint16(60, sections.length - 2, true);
  return runtime;
}

function readSections(view: DataView): Section[] {
  const at = Number(view.getBigUint64(40, true));
  const count = view.getUint16(60, true);
  if (
    view.getUint16(54, true) !== PROGRAM_OCTETS || view.getUint16(58, true) !== SECTION_OCTETS ||
    at + count * SECTION_OCTETS > view.byteLength
  ) {
    throw new ElfError("the section headers are not whole");
  }
  return Array.from({ length: count }, (_, i) => {
    const header = at + i * SECTION_OCTETS;
    const section = {
      nameAt: view.getUint32(header, true),
      type: view.getUint32(header + 4, true),
      offset: Number(view.getBigUint64(header + 24, true)),
      size: Number(view.getBigUint64(header + 32, true)),
    };
    if (section.type !== SHT_NOBITS && section.offset + section.size > view.byteLength) {
      throw new ElfError(`section ${i} ends behind the end of the file`);
    }
    return section;
  });
}

function textAt(binary: Uint8Array, offset: number): string {
  const end = binary.indexOf(0, offset);
  return new TextDecoder().decode(binary.subarray(offset, end === -1 ? binary.length : end));
}

/** Where `part` stands in `whole`; the last such place; -1 for none. */
function lastIndexOf(whole: Uint8Array, part: Uint8Array): number {
  const start = whole.length - part.length;
  if (part.length === 0 || start < 0) return -1;
  for (let at = whole.lastIndexOf(part[0], start); at !== -1;) {
    if (part.every((octet, i) => whole[at + i] === octet)) return at;
    if (at === 0) break;
    at = whole.lastIndexOf(part[0], at - 1);
  }
  return -1;
}

/** What a binary is for, as Deno names it: the first word of a target; undefined for others. */
export function architectureOf(binary: Uint8Array): string | undefined {
  if (MAGIC.some((octet, i) => binary[i] !== octet)) return undefined;
  return ({ 62: "x86_64", 183: "aarch64" })[binary[18] + binary[19] * 256];
}
