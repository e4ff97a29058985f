import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { queryMessage } from "../../test/support/dns_messages.ts";
import { decodeQuery } from "./query.ts";
import { encodeAnswer } from "./encode_answer.ts";
import { failureAnswer } from "./answer.ts";

/** A query for example.org A with some octets changed. */
function changed(changes: Record<number, number>): Uint8Array {
  const message = queryMessage("example.org", "A");
  for (const [offset, octet] of Object.entries(changes)) message[Number(offset)] = octet;
  return message;
}

function outcome(message: Uint8Array): string {
  const decoded = decodeQuery(message);
  if (decoded.kind === "query") return "query";
  return decoded.kind === "drop" ? `drop ${decoded.reason}` : `reject ${decoded.rcode}`;
}

Deno.test("decodeQuery() says what becomes of a message", async (t) => {
  const edns = { udpPayloadSize: 1232 };
  const twoOpts = (() => {
    const one = queryMessage("example.org", "A", { edns });
    const two = Buffer.concat([one, one.subarray(one.length - 11)]);
    two[11] = 2;
    return two;
  })();
  const cases: [string, Uint8Array, string][] = [
    ["a query", queryMessage("example.org", "A"), "query"],
    ["a query with EDNS", queryMessage("example.org", "A", { edns }), "query"],
    ["an unknown type", changed({ 26: 0xff }), "query"],
    ["nothing", new Uint8Array(0), "drop short"],
    ["eleven octets", new Uint8Array(11), "drop short"],
    ["a response", changed({ 2: 0x81 }), "drop response"],
    ["opcode NOTIFY", changed({ 2: 0x21 }), "reject 4"],
    ["no question", changed({ 5: 0 }), "reject 1"],
    ["two questions", changed({ 5: 2 }), "reject 1"],
    ["an answer in it", changed({ 7: 1 }), "reject 1"],
    ["a question cut short", queryMessage("example.org", "A").subarray(0, 20), "reject 1"],
    ["an additional record that is not there", changed({ 11: 1 }), "reject 1"],
    ["class CH", changed({ 28: 3 }), "reject 5"],
    ["class ANY", changed({ 28: 255 }), "reject 5"],
    ["AXFR", queryMessage("example.org", "AXFR"), "reject 5"],
    ["IXFR", queryMessage("example.org", "IXFR"), "reject 5"],
    ["type OPT asked", changed({ 26: 41 }), "reject 1"],
    ["type 0 asked", changed({ 26: 0 }), "reject 1"],
    ["NXNAME asked", changed({ 26: 128 }), "reject 1"],
    ["TSIG asked", changed({ 26: 250 }), "reject 1"],
    ["ANY asked", changed({ 26: 255 }), "query"],
    ["EUI64 asked", changed({ 26: 109 }), "query"],
    [
      "EDNS version 1",
      queryMessage("example.org", "A", { edns: { ...edns, version: 1 } }),
      "reject 16",
    ],
    ["two OPT records", twoOpts, "reject 1"],
    [
      "a compressed question",
      (() => {
        const message = queryMessage("example.org", "A");
        message.set([0xc0, 4], 12);
        return message;
      })(),
      "reject 1",
    ],
  ];
  for (const [title, message, expected] of cases) {
    await t.step(title, () => assert.equal(outcome(message), expected));
  }
});

Deno.test("decodeQuery() keeps what the answer repeats", () => {
  const decoded = decodeQuery(
    queryMessage("eXample.Org", "AAAA", {
      id: 0xbeef,
      flags: 0x0130,
      edns: { udpPayloadSize: 100, dnssecOk: true },
    }),
  );
  assert.equal(decoded.kind, "query");
  if (decoded.kind !== "query") return;
  const { query } = decoded;
  assert.deepEqual(query.question, { name: "example.org", type: 28, class: 1 });
  assert.equal(query.id, 0xbeef);
  assert.equal(query.recursionDesired && query.checkingDisabled && query.authenticDataWanted, true);
  assert.deepEqual(query.edns, { udpPayloadSize: 512, dnssecOk: true });
  assert.ok(Buffer.from(query.questionWire).includes("eXample"));
});

Deno.test("decodeQuery() survives any octets, and what it rejects can be answered", () => {
  const base = queryMessage("www.example.org", "A", { edns: { udpPayloadSize: 1232 } });
  const mutated = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const message = Uint8Array.from(base);
      for (const [offset, octet] of changes) message[offset] = octet;
      return message;
    });
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 600 }), mutated), (message) => {
      const decoded = decodeQuery(message);
      if (decoded.kind === "drop") return;
      const head = decoded.kind === "query" ? decoded.query : decoded.head;
      const answer = encodeAnswer(head, failureAnswer(5), { maxOctets: 512 });
      assert.ok(answer.length >= 12 && answer.length <= 512);
    }),
    { numRuns: 5000 },
  );
});
