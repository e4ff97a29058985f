import assert from "node:assert/strict";
import { type Answer, localAnswer } from "./answer.ts";
import { chainLength, cutChain, openChain } from "./cname_chain.ts";
import { RecordType } from "./codes.ts";
import { addressRecord, cnameRecord, type ResourceRecord, soaRecord } from "./record.ts";

const ttl = { ttlSeconds: 60 };
const a = (name: string) => addressRecord(name, Uint8Array.of(192, 0, 2, 1), ttl);
const signature = (name: string): ResourceRecord => ({
  ...a(name),
  type: RecordType.RRSIG,
  rdata: Uint8Array.of(0, RecordType.CNAME),
});
const RECORDS = [
  cnameRecord("www.example.org", "www.example.net", ttl),
  cnameRecord("www.example.net", "www.example.com", ttl),
  signature("www.example.net"),
  a("www.example.com"),
];
const question = { name: "www.example.org", type: RecordType.A as number, class: 1 };

Deno.test("cutChain() keeps what leads to the first foreign name", async (t) => {
  const cases: [string, number, string[], number | undefined][] = [
    ["nothing is foreign", RecordType.A, [], undefined],
    ["the first target is", RecordType.A, ["www.example.net"], 1],
    ["the second is: with the CNAME's signature", RecordType.A, ["www.example.com"], 3],
    ["both are", RecordType.A, ["www.example.com", "www.example.net"], 1],
    ["the question is for the CNAME", RecordType.CNAME, ["www.example.net"], undefined],
    ["the question is for anything", RecordType.ANY, ["www.example.net"], undefined],
  ];
  for (const [title, type, foreign, kept] of cases) {
    await t.step(title, () => {
      const cut = cutChain({ ...question, type }, RECORDS, (name) => foreign.includes(name));
      assert.equal(cut?.records.length, kept);
      if (cut !== undefined) assert.ok(foreign.includes(cut.target));
    });
  }
});

Deno.test("openChain() finds the name of which nothing is said", async (t) => {
  const { A, CNAME } = RecordType;
  const chain = RECORDS.slice(0, 3);
  const soa = [soaRecord("example.com", ttl)];
  const cases: [string, Partial<Answer>, number, string | undefined][] = [
    ["a chain alone", { answers: chain }, A, "www.example.com"],
    ["with its address", { answers: RECORDS }, A, undefined],
    ["with the word that there is none", { answers: chain, authority: soa }, A, undefined],
    ["of a name that is not", { answers: chain, rcode: 3 }, A, undefined],
    ["asked for itself", { answers: chain }, CNAME, undefined],
    ["nothing at all", {}, A, undefined],
  ];
  for (const [title, answer, type, target] of cases) {
    await t.step(title, () => {
      const open = openChain({ ...question, type }, localAnswer(answer));
      assert.equal(open?.target, target);
      assert.equal(open?.records.length, target === undefined ? undefined : 3);
    });
  }
});

Deno.test("chainLength() counts CNAMEs", () => assert.equal(chainLength(RECORDS), 2));
