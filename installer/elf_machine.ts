/**
 * What machine a program is for. Pure.
 *
 * @module
 */

/** The names that releases have for machines, by e_machine (System V ABI, chapter 4, at offset 18). */
const MACHINES: Readonly<Record<number, string>> = { 0x3e: "x64", 0xb7: "arm64" };
const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
/** 64 bit, little-endian: all that releases are made for. */
const KIND = [2, 1];

/** `x64` or `arm64`; undefined where this is no program, or one for something else. */
export function elfMachine(file: Uint8Array): string | undefined {
  if (file.length < 64) return undefined;
  if ([...MAGIC, ...KIND].some((octet, at) => file[at] !== octet)) return undefined;
  return MACHINES[file[18] | file[19] << 8];
}
