import assert from "node:assert/strict";
import fc from "fast-check";
import { generateTable } from "../../test/support/generated_table.ts";
import { encodeNameTable } from "../mesh/protocol.ts";
import { decodeNameTable } from "./name_table_message.ts";

const ENTRY = {
  host: "a.ns1.svc.cluster.local",
  addresses: ["10.0.0.1", "2001:db8::1"],
  registry: "Kubernetes",
  shortName: "a",
  namespace: "ns1",
  altHosts: ["a.example.org"],
};

Deno.test("decodeNameTable() reads the octets of Istio's NameTable", () => {
  // table { "a.b": { ips: "1.2.3.4", registry: "X" } } and a field that is not known, by hand.
  const info = [0x0a, 7, ...text("1.2.3.4"), 0x12, 1, ...text("X"), 0x7a, 1, 0];
  const map = [0x0a, 3, ...text("a.b"), 0x12, info.length, ...info];
  const table = Uint8Array.from([0x0a, map.length, ...map, 0xf8, 0x07, 1]);
  assert.deepEqual([...decodeNameTable(table)], [{
    host: "a.b",
    addresses: ["1.2.3.4"],
    registry: "X",
    shortName: "",
    namespace: "",
    altHosts: [],
  }]);
});

Deno.test("decodeNameTable() reads what encodeNameTable() writes, and throws on every cut", () => {
  const bytes = encodeNameTable([ENTRY]);
  assert.deepEqual([...decodeNameTable(bytes)], [ENTRY]);
  for (let length = 1; length < bytes.length; length++) {
    assert.throws(() => [...decodeNameTable(bytes.subarray(0, length))], `${length} octets`);
  }
});

Deno.test("decodeNameTable() reads any octets or throws an Error", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
      try {
        for (const { host, addresses } of decodeNameTable(bytes)) {
          assert.equal(typeof host, "string");
          assert.ok(Array.isArray(addresses));
        }
      } catch (error) {
        assert.ok(error instanceof Error);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("decodeNameTable() reads any table that encodeNameTable() writes", () => {
  const entries = generateTable(3, 300);
  entries.push({ ...ENTRY, host: "\u00e9.example", altHosts: ["x".repeat(300), "\u{1f600}"] });
  assert.deepEqual([...decodeNameTable(encodeNameTable(entries))], entries);
});

Deno.test("decodeNameTable() passes over what it does not know, wherever that is", async (t) => {
  // table { "a.b": {} }, with one more field at each level.
  const unknown: [string, number[]][] = [
    ["a number", [0x78, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ["8 octets", [0x79, 1, 2, 3, 4, 5, 6, 7, 8]],
    ["4 octets", [0x7d, 1, 2, 3, 4]],
    ["octets", [0x7a, 3, 1, 2, 3]],
    ["a field with a number of 29 bits", [0xfa, 0xff, 0xff, 0xff, 0x0f, 1, 0]],
    ["the host as a number", [0x08, 1]],
  ];
  for (const [title, field] of unknown) {
    await t.step(title, () => {
      const map = [...field, 0x0a, 3, ...text("a.b"), 0x12, field.length, ...field];
      const table = Uint8Array.from([...field, 0x0a, map.length, ...map, ...field]);
      assert.deepEqual([...decodeNameTable(table)].map(({ host }) => host), ["a.b"]);
    });
  }
});

Deno.test("decodeNameTable() refuses what is no message", async (t) => {
  const cases: [string, number[], RegExp][] = [
    ["a group", [0x0b, 0x0c], /^wire type 3 at octet 1$/],
    ["a wire type that does not exist", [0x0f], /^wire type 7 at octet 1$/],
    ["a number without an end", [0x78, ...new Array(11).fill(0xff)], /^a number without an end/],
    ["a length beyond the end", [0x0a, 0xff, 0xff, 0xff, 0xff, 0x0f], /^cut short at octet 6$/],
    ["a text beyond its entry", [0x0a, 3, 0x0a, 2, 0x61, 0x61], /^cut short at octet 4$/],
    ["8 octets of which 7 are there", [0x79, 1, 2, 3, 4, 5, 6, 7], /^cut short at octet 1$/],
  ];
  for (const [title, octets, message] of cases) {
    await t.step(title, () => {
      assert.throws(() => [...decodeNameTable(Uint8Array.from(octets))], { message });
    });
  }
});

function text(string: string): number[] {
  return [...new TextEncoder().encode(string)];
}
