import assert from "node:assert/strict";
import { unpackRdata } from "./rdata_layout.ts";

/** A message of nothing but the name `ab.example` at octet 12, and RDATA behind it. */
function unpacked(type: number, rdata: number[]): number[] | undefined {
  const name = [2, 0x61, 0x62, 7, ...new TextEncoder().encode("example"), 0];
  const message = Uint8Array.from([...new Array(12).fill(0), ...name, ...rdata]);
  const start = 12 + name.length;
  const unpacked = unpackRdata(message, { type, start, end: message.length });
  return unpacked && [...unpacked];
}

Deno.test("unpackRdata() unpacks names, and takes nothing that does not fit its type", async (t) => {
  const pointer = [0xc0, 12];
  const name = [2, 0x61, 0x62, 7, ...new TextEncoder().encode("example"), 0];
  const numbers = Array.from({ length: 20 }, (_, i) => i);
  const cases: [string, number, number[], number[] | undefined][] = [
    ["A", 1, [192, 0, 2, 1], [192, 0, 2, 1]],
    ["A of three octets", 1, [192, 0, 2], undefined],
    ["AAAA of four octets", 28, [192, 0, 2, 1], undefined],
    ["CNAME", 5, pointer, name],
    ["CNAME with octets behind it", 5, [...pointer, 1], undefined],
    ["CNAME of nothing", 5, [], undefined],
    ["MX", 15, [0, 10, ...pointer], [0, 10, ...name]],
    ["MX in its own letter case", 15, [0, 10, 1, 0x4d, ...pointer], [0, 10, 1, 0x4d, ...name]],
    ["MX with octets behind it", 15, [0, 10, ...pointer, 0], undefined],
    ["MX without a name", 15, [0, 10], undefined],
    ["SOA", 6, [...pointer, ...pointer, ...numbers], [...name, ...name, ...numbers]],
    ["SOA without its last octet", 6, [...pointer, ...pointer, ...numbers.slice(1)], undefined],
    ["SRV", 33, [0, 1, 0, 2, 0, 3, ...pointer], [0, 1, 0, 2, 0, 3, ...name]],
    [
      "NAPTR",
      35,
      [0, 1, 0, 2, 1, 0x75, 0, 1, 0x21, ...pointer],
      [0, 1, 0, 2, 1, 0x75, 0, 1, 0x21, ...name],
    ],
    ["NAPTR with a string beyond its end", 35, [0, 1, 0, 2, 200, 0x75], undefined],
    ["NXT, which goes on", 30, [...pointer, 0x40, 1], [...name, 0x40, 1]],
    ["a type that is not known", 65280, pointer, pointer],
    ["a type that is not known, of nothing", 65280, [], []],
  ];
  for (const [title, type, rdata, expected] of cases) {
    await t.step(title, () => assert.deepEqual(unpacked(type, rdata), expected));
  }
});
