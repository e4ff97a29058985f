import assert from "node:assert/strict";
import { elfMachine } from "./elf_machine.ts";

function header(machine: number, changes: Record<number, number> = {}): Uint8Array {
  const file = new Uint8Array(64);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  file[18] = machine;
  for (const [at, octet] of Object.entries(changes)) file[Number(at)] = octet;
  return file;
}

const CASES: [string, Uint8Array, string | undefined][] = [
  ["a program for x86-64", header(0x3e), "x64"],
  ["one for AArch64", header(0xb7), "arm64"],
  ["one for RISC-V", header(0xf3), undefined],
  ["one of 32 bit", header(0x3e, { 4: 1 }), undefined],
  ["a big-endian one", header(0xb7, { 5: 2 }), undefined],
  ["a script", new TextEncoder().encode("#!/bin/sh\n".repeat(10)), undefined],
  ["the beginning of a header", header(0x3e).subarray(0, 63), undefined],
  ["nothing", new Uint8Array(), undefined],
];

for (const [what, file, expected] of CASES) {
  Deno.test(`elfMachine() of ${what}`, () => assert.equal(elfMachine(file), expected));
}
