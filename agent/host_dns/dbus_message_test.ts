import assert from "node:assert/strict";
import fc from "fast-check";
import { decodeDbusMessage, encodeDbusCall } from "./dbus_message.ts";

const CALL = {
  serial: 7,
  destination: "org.example.Service",
  path: "/org/example",
  interface: "org.freedesktop.DBus.Properties",
  member: "Get",
  arguments: ["org.example.Interface", "Name"],
};

/** A message with one field, SIGNATURE, and `body`; little-endian. */
function message(signature: string, body: number[]): Uint8Array {
  const field = [8, 1, 0x67, 0, signature.length, ...new TextEncoder().encode(signature), 0];
  const header = [0x6c, 2, 0, 1, ...uint32(body.length), ...uint32(1), ...uint32(field.length)];
  const padding = new Array((8 - (header.length + field.length) % 8) % 8).fill(0);
  return Uint8Array.from([...header, ...field, ...padding, ...body]);
}

const uint32 = (
  value: number,
) => [value & 0xff, value >> 8 & 0xff, value >> 16 & 0xff, value >>> 24];
const zeros = (count: number) => new Array(count).fill(0);

function bodyOf(octets: Uint8Array) {
  const decoded = decodeDbusMessage(octets);
  return typeof decoded === "string" ? decoded : decoded.body;
}

Deno.test("encodeDbusCall() writes what decodeDbusMessage() reads", () => {
  const octets = encodeDbusCall(CALL);
  const decoded = decodeDbusMessage(octets);
  assert.ok(typeof decoded === "object");
  assert.equal(decoded.octets, octets.length);
  assert.equal(decoded.kind, "other");
  assert.deepEqual(decoded.body, CALL.arguments);
  // Octet 2: no service is started for our sake.
  assert.deepEqual([...octets.subarray(0, 4)], [0x6c, 1, 2, 1]);
});

Deno.test("decodeDbusMessage() reads each type", async (t) => {
  const cases: [string, string, number[], unknown][] = [
    ["octet", "y", [7], [7]],
    ["boolean", "b", uint32(1), [true]],
    ["signed", "ni", [0xff, 0xff, 0, 0, ...uint32(0xffffffff)], [-1, -1]],
    ["unsigned", "qu", [1, 2, 0, 0, ...uint32(3)], [0x201, 3]],
    ["64 bits", "tx", [7, ...zeros(7), ...new Array(8).fill(0xff)], [7, -1]],
    ["text", "s", [...uint32(2), 0x61, 0x62, 0], ["ab"]],
    ["signature", "g", [1, 0x73, 0], ["s"]],
    ["variant", "v", [1, 0x79, 0, 9], [9]],
    ["octets", "ay", [...uint32(2), 1, 2], [Uint8Array.of(1, 2)]],
    ["structs", "a(yy)", [...uint32(10), ...zeros(4), 1, 2, ...zeros(6), 3, 4], [[[1, 2], [3, 4]]]],
    ["dictionary", "a{yy}", [...uint32(2), ...zeros(4), 1, 2], [[[1, 2]]]],
    ["empty array of structs", "a(yy)", [...uint32(0), ...zeros(4)], [[]]],
    ["text past the end", "s", [...uint32(3), 0x61, 0x62, 0], "malformed"],
    ["array past the end", "ay", [...uint32(3), 1, 2], "malformed"],
    ["array that ends within an element", "aq", [...uint32(3), 1, 2, 3], "malformed"],
    ["number past the end", "u", [1, 2], "malformed"],
    ["unknown type", "z", [], "malformed"],
    ["struct without an end", "(y", [1], "malformed"],
    ["array of nothing", "a()", [...uint32(4), ...zeros(8)], "malformed"],
    ["variant of two", "v", [2, 0x79, 0x79, 0, 1, 2], "malformed"],
    ["nested too deeply", "a".repeat(200) + "y", [], "malformed"],
  ];
  for (const [title, signature, body, expected] of cases) {
    await t.step(title, () => assert.deepEqual(bodyOf(message(signature, body)), expected));
  }
});

Deno.test("decodeDbusMessage() waits for the whole message", () => {
  const octets = encodeDbusCall(CALL);
  for (let length = 0; length < octets.length; length++) {
    assert.equal(decodeDbusMessage(octets.subarray(0, length)), "incomplete");
  }
  assert.equal(decodeDbusMessage(Uint8Array.from([0x78, ...zeros(20)])), "malformed");
  const huge = message("s", []);
  huge.set(uint32(0x7fffffff), 4);
  assert.equal(decodeDbusMessage(huge), "malformed");
});

Deno.test("decodeDbusMessage() reads any octets", () => {
  const real = encodeDbusCall(CALL);
  const changed = fc.array(fc.tuple(fc.nat(real.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const octets = real.slice();
      for (const [at, value] of changes) octets[at] = value;
      return octets;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 100 }), changed), (octets) => {
      const decoded = decodeDbusMessage(octets);
      assert.ok(typeof decoded === "string" || decoded.octets <= octets.length);
    }),
    { numRuns: 2_000 },
  );
});
