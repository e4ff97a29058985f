import assert from "node:assert/strict";
import fc from "fast-check";
import {
  decodeName,
  encodeName,
  isBelow,
  isWithin,
  joinNames,
  parentOf,
  parseName,
  readName,
  withoutSuffix,
  writeName,
} from "./name.ts";

const octets = (...parts: (string | number)[]) =>
  Uint8Array.from(
    parts.flatMap((part) =>
      typeof part === "number" ? [part] : [...new TextEncoder().encode(part)]
    ),
  );

Deno.test("decodeName() reads, lowers and escapes", async (t) => {
  const cases: [string, Uint8Array, string][] = [
    ["the root", octets(0), ""],
    ["two labels", octets(3, "www", 7, "example", 0), "www.example"],
    ["letter case", octets(3, "WwW", 0), "www"],
    ["a dot inside a label", octets(3, "a.b", 1, "c", 0), "a\\046b.c"],
    ["a backslash", octets(2, "a\\", 0), "a\\092"],
    ["a zero octet", octets(2, "a", 0, 0), "a\\000"],
    ["octets above ASCII are not lowered", octets(2, 0xc3, 0x84, 0), "\\195\\132"],
  ];
  for (const [title, wire, name] of cases) {
    await t.step(title, () => {
      assert.deepEqual(decodeName(wire, 0), { name, end: wire.length });
      assert.deepEqual(encodeName(name), wire.map((o) => o >= 65 && o <= 90 ? o + 32 : o));
    });
  }
});

Deno.test("decodeName() follows pointers backwards only", async (t) => {
  const header = new Array(12).fill(0);
  const cases: [string, Uint8Array, number, string | undefined][] = [
    ["to a name before", octets(...header, 3, "com", 0, 1, "a", 0xc0, 12), 17, "a.com"],
    ["to itself", octets(...header, 0xc0, 12), 12, undefined],
    ["to its own first label", octets(...header, 1, "a", 0xc0, 12), 12, undefined],
    ["forwards", octets(...header, 0xc0, 14, 1, "a", 0), 12, undefined],
    ["into the header", octets(...header, 0xc0, 4), 12, undefined],
    ["cut in the middle", octets(...header, 0, 0xc0), 13, undefined],
  ];
  for (const [title, wire, offset, name] of cases) {
    await t.step(title, () => assert.equal(decodeName(wire, offset)?.name, name));
  }
});

Deno.test("decodeName() refuses what is no name", async (t) => {
  const label63 = [63, "x".repeat(63)];
  const cases: [string, Uint8Array][] = [
    ["nothing", octets()],
    ["a label cut short", octets(3, "ab")],
    ["no root", octets(1, "a")],
    ["label type 01", octets(0x41, "a", 0)],
    ["label type 10", octets(0x81, "a", 0)],
    ["256 octets", octets(...label63, ...label63, ...label63, 62, "x".repeat(62), 0)],
  ];
  for (const [title, wire] of cases) {
    await t.step(title, () => assert.equal(decodeName(wire, 0), undefined));
  }
  await t.step("255 octets are taken", () => {
    const longest = octets(...label63, ...label63, ...label63, 61, "x".repeat(61), 0);
    assert.equal(longest.length, 255);
    assert.equal(decodeName(longest, 0)?.end, 255);
  });
});

Deno.test("decodeName() ends on any octets, and what it reads encodes to the same name", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat(300), (wire, offset) => {
      const decoded = decodeName(wire, offset);
      if (decoded === undefined) return;
      const encoded = encodeName(decoded.name);
      assert.ok(encoded.length <= 255);
      assert.equal(decodeName(encoded, 0)?.name, decoded.name);
      assert.equal(parseName(decoded.name === "" ? "." : decoded.name), decoded.name);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("parseName() reads what people write", async (t) => {
  const cases: [string, string | undefined][] = [
    ["Productpage.NS1.svc.cluster.local", "productpage.ns1.svc.cluster.local"],
    ["example.org.", "example.org"],
    ["*.example.org", "*.example.org"],
    [".", ""],
    ["", undefined],
    ["a..b", undefined],
    [".a", undefined],
    ["a\\.b.c", "a\\046b.c"],
    ["a\\300b", undefined],
    ["a\\", undefined],
    ["ä.example", "\\195\\164.example"],
    ["x".repeat(64), undefined],
    [new Array(128).fill("x").join("."), undefined],
    [new Array(127).fill("x").join("."), new Array(127).fill("x").join(".")],
  ];
  for (const [text, name] of cases) {
    await t.step(JSON.stringify(text.slice(0, 40)), () => assert.equal(parseName(text), name));
  }
});

Deno.test("names are cut and joined at labels", () => {
  assert.equal(isWithin("a.cluster.local", "cluster.local"), true);
  assert.equal(isWithin("acluster.local", "cluster.local"), false);
  assert.equal(isWithin("cluster.local", "cluster.local"), true);
  assert.equal(isBelow("cluster.local", "cluster.local"), false);
  assert.equal(isBelow("a", ""), true);
  assert.equal(withoutSuffix("a.b.c", "c"), "a.b");
  assert.equal(withoutSuffix("c", "c"), undefined);
  assert.equal(parentOf("a.b"), "b");
  assert.equal(parentOf("b"), "");
  assert.equal(parentOf(""), undefined);
  assert.equal(joinNames("a", "b.c"), "a.b.c");
  assert.equal(joinNames("a".repeat(63), new Array(110).fill("b").join(".")), undefined);
});

Deno.test("writeName() and readName() are the wire form without the root, anywhere", async (t) => {
  const names = ["", "a", "www.example.org", "a\\046b.\\000\\255.c", `${"x".repeat(63)}.y`];
  for (const name of names) {
    await t.step(name, () => {
      const wire = new Uint8Array(300).fill(0xaa);
      const end = writeName(wire, 7, name);
      assert.deepEqual([...wire.subarray(7, end), 0], [...encodeName(name)]);
      assert.deepEqual([wire[6], wire[end]], [0xaa, 0xaa]);
      assert.equal(readName(wire, 7, end), name);
    });
  }
  assert.equal(writeName(new Uint8Array(4), 0, "www.example.org"), 16);
});
