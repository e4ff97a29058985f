import assert from "node:assert/strict";
import fc from "fast-check";
import { RecordType } from "./codes.ts";
import { encodeName } from "./name.ts";
import { addressRecord, cnameRecord, minimalAnyRecord, soaRecord, srvRecord } from "./record.ts";
import { formatRecord } from "./record_text.ts";

const TTL = { ttlSeconds: 30 };
const raw = (type: number, rdata: number[]) => ({
  name: "a",
  type,
  class: 1,
  ttlSeconds: 30,
  rdata: Uint8Array.from(rdata),
});
const text = (string: string) => [string.length, ...new TextEncoder().encode(string)];

Deno.test("formatRecord() writes the presentation format", async (t) => {
  const cases: [Parameters<typeof formatRecord>[0], string][] = [
    [addressRecord("a.example", Uint8Array.of(192, 0, 2, 1), TTL), "a.example. 30 IN A 192.0.2.1"],
    [cnameRecord("a", "b.example", TTL), "a. 30 IN CNAME b.example."],
    [srvRecord("a", { host: "b", port: 80, weight: 5 }, TTL), "a. 30 IN SRV 0 5 80 b."],
    [soaRecord("a", TTL), "a. 30 IN SOA ns.a. hostmaster.a. 1 7200 1800 86400 30"],
    [minimalAnyRecord("a", TTL), 'a. 30 IN HINFO "RFC8482" ""'],
    [raw(RecordType.MX, [0, 10, ...encodeName("b")]), "a. 30 IN MX 10 b."],
    [raw(RecordType.TXT, [...text('x"y'), 1, 200]), 'a. 30 IN TXT "x\\"y" "\\200"'],
    [raw(RecordType.CAA, [0, ...text("issue"), 120]), 'a. 30 IN CAA 0 issue "x"'],
    [raw(65280, [1, 255]), "a. 30 IN TYPE65280 \\# 2 01ff"],
    [raw(65280, []), "a. 30 IN TYPE65280 \\# 0"],
    [raw(RecordType.A, [1, 2, 3]), "a. 30 IN A \\# 3 010203"],
    [raw(RecordType.TXT, [9, 1]), "a. 30 IN TXT \\# 2 0901"],
  ];
  for (const [record, line] of cases) {
    await t.step(line, () => assert.equal(formatRecord(record), line));
  }
});

Deno.test("formatRecord() writes one line for any RDATA", () => {
  const types = fc.constantFrom(...Object.values(RecordType));
  fc.assert(fc.property(types, fc.uint8Array({ maxLength: 60 }), (type, rdata) => {
    assert.match(
      formatRecord({ name: "a", type, class: 1, ttlSeconds: 1, rdata }),
      /^a\. 1 IN [^\n]+$/,
    );
  }));
});
