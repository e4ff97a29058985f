import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
// @ts-types="@types/dns-packet"
import type { Packet } from "dns-packet";
import fc from "fast-check";
import { answerMessage } from "../../test/support/dns_messages.ts";
import { formatType } from "./codes.ts";
import { decodeUpstreamAnswer } from "./upstream_message.ts";

const question = { name: "www.example.org", type: 1, class: 1 };
const expected = { id: 7, question };
type Records = NonNullable<Packet["answers"]>;
const a = (name: string, data = "192.0.2.1") => ({ type: "A", name, data, ttl: 60 }) as const;
const cname = (name: string, data: string) => ({ type: "CNAME", name, data, ttl: 60 }) as const;

function message(answers: Records, rest: Partial<Packet> = {}): Uint8Array {
  return answerMessage({ id: 7, name: "www.example.org", questionType: "A", answers, ...rest });
}

function decoded(bytes: Uint8Array) {
  const result = decodeUpstreamAnswer(bytes, expected);
  assert.equal(result.kind, "answer");
  return result as Extract<typeof result, { kind: "answer" }>;
}

Deno.test("decodeUpstreamAnswer() takes only what answers the question", async (t) => {
  const change = (offset: number, octet: number) => {
    const bytes = message([a("www.example.org")]);
    bytes[offset] = octet;
    return bytes;
  };
  const cases: [string, Uint8Array, string][] = [
    ["the answer", message([a("www.example.org")]), "answer"],
    ["in other letter case", change(13, 0x57), "answer"],
    ["too short", new Uint8Array(5), "mismatch"],
    ["another id", change(1, 8), "mismatch"],
    ["a query", change(2, 0x01), "mismatch"],
    ["another opcode", change(2, 0xa1), "mismatch"],
    ["another name", change(13, 0x78), "mismatch"],
    ["another type", change(30, 28), "mismatch"],
    ["another class", change(32, 3), "mismatch"],
    ["no question", change(5, 0), "mismatch"],
    ["a record cut short", message([a("www.example.org")]).slice(0, -2), "malformed"],
    [
      "an A record of 3 octets",
      (() => {
        const bytes = message([a("www.example.org")]).slice(0, -1);
        bytes[bytes.length - 4] = 3;
        return bytes;
      })(),
      "malformed",
    ],
    [
      "a CNAME loop",
      message([
        cname("www.example.org", "b.example"),
        cname("b.example", "www.example.org"),
      ]),
      "malformed",
    ],
  ];
  for (const [title, bytes, kind] of cases) {
    await t.step(title, () => assert.equal(decodeUpstreamAnswer(bytes, expected).kind, kind));
  }
});

Deno.test("decodeUpstreamAnswer() keeps the records of the chain and no others", () => {
  const { answer } = decoded(message([
    a("planted.example"),
    a("c.example", "192.0.2.9"),
    cname("www.example.org", "B.example"),
    cname("b.example", "c.example"),
    { type: "TXT", name: "c.example", data: "planted", ttl: 1 },
  ], {
    authorities: [
      { type: "NS", name: "example", data: "ns.example", ttl: 1 },
      { type: "NS", name: "other.test", data: "ns.example", ttl: 1 },
    ],
    additionals: [a("ns.example"), a("bank.example")],
  }));
  assert.deepEqual(
    answer.answers.map((record) => [record.name, formatType(record.type)]),
    [["www.example.org", "CNAME"], ["b.example", "CNAME"], ["c.example", "A"]],
  );
  assert.deepEqual(answer.authority.map((record) => record.name), ["example"]);
  assert.deepEqual(answer.additional, []);
});

Deno.test("decodeUpstreamAnswer() bounds the chain", () => {
  const chain = (length: number) =>
    Array.from(
      { length },
      (_, i) => cname(i === 0 ? "www.example.org" : `n${i}.test`, `n${i + 1}.test`),
    );
  assert.equal(decodeUpstreamAnswer(message(chain(12)), expected).kind, "answer");
  assert.equal(decodeUpstreamAnswer(message(chain(13)), expected).kind, "malformed");
});

Deno.test("decodeUpstreamAnswer() reads rcode, flags, TTL and OPT", () => {
  const result = decoded(message([], {
    flags: 0x01a3 | 0x0200,
    additionals: [{
      type: "OPT",
      name: ".",
      udpPayloadSize: 1232,
      extendedRcode: 1,
      ednsVersion: 0,
      flags: 0,
      flag_do: false,
      options: [],
    }],
  }));
  assert.equal(result.truncated, true);
  assert.equal(result.answer.authenticated, true);
  assert.equal(result.answer.rcode, 0x13);
  const old = message([{ ...a("www.example.org"), ttl: 0x80000001 }]);
  assert.equal(decoded(old).answer.answers[0].ttlSeconds, 0);
});

Deno.test("decodeUpstreamAnswer() tells whether the letter case of the question was kept", () => {
  const asked = Buffer.from("\x03wWw\x07EXAMPLE\x03org\0", "latin1");
  const kept = (bytes: Uint8Array) => {
    const result = decodeUpstreamAnswer(bytes, { ...expected, nameWire: asked });
    return result.kind === "answer" ? result.caseKept : result.kind;
  };
  const bytes = message([a("www.example.org")]);
  assert.equal(kept(bytes), false);
  bytes.set(asked, 12);
  assert.equal(kept(bytes), true);
  bytes[13] = 0x57;
  assert.equal(kept(bytes), false);
  assert.equal(decoded(bytes).caseKept, true, "nothing was asked of it");
});

Deno.test("decodeUpstreamAnswer() keeps the letter case of names in RDATA, but not what was mixed", () => {
  // www.example.org CNAME Target.(pointer to example.org of the question), compressed by hand.
  const bytes = Buffer.concat([
    message([]),
    Uint8Array.of(0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 60, 0, 9, 6),
    Buffer.from("Target"),
    Uint8Array.of(0xc0, 16),
  ]);
  bytes[7] = 1;
  const nameWire = Buffer.from("\x03wWw\x07EXAMPLE\x03oRg\0", "latin1");
  bytes.set(nameWire, 12);
  const result = decodeUpstreamAnswer(bytes, { ...expected, nameWire });
  assert.ok(result.kind === "answer" && result.caseKept);
  const [{ rdata }] = result.answer.answers;
  assert.equal(Buffer.from(rdata).toString("latin1"), "\x06Target\x07example\x03org\0");
});

Deno.test("decodeUpstreamAnswer() reads the cookie", async (t) => {
  const cookie = Buffer.from("0102030405060708a1a2a3a4a5a6a7a8", "hex");
  const opt = (...octets: number[]) => {
    const bytes = Buffer.concat([
      message([]),
      Uint8Array.of(0, 0, 41, 4, 208, 0, 0, 0, 0, 0, octets.length, ...octets),
    ]);
    bytes[11] = 1;
    return bytes;
  };
  const cases: [string, Uint8Array, Buffer | undefined][] = [
    ["alone", opt(0, 10, 0, 16, ...cookie), cookie],
    ["behind another option", opt(0, 3, 0, 1, 65, 0, 10, 0, 16, ...cookie), cookie],
    ["none", opt(0, 3, 0, 1, 65), undefined],
    ["longer than OPT", opt(0, 10, 0, 17, ...cookie), undefined],
    ["cut in its head", opt(0, 10, 0), undefined],
  ];
  for (const [title, bytes, expected] of cases) {
    await t.step(title, () => {
      const { cookie } = decoded(bytes);
      assert.equal(cookie && Buffer.from(cookie).toString("hex"), expected?.toString("hex"));
    });
  }
});

Deno.test("decodeUpstreamAnswer() unpacks names in RDATA", () => {
  // www.example.org MX 10 (pointer to the question's name): compressed by hand.
  const bytes = Buffer.concat([
    answerMessage({ id: 7, name: "www.example.org", questionType: "MX" }),
    Uint8Array.of(0xc0, 12, 0, 15, 0, 1, 0, 0, 0, 60, 0, 4, 0, 10, 0xc0, 12),
  ]);
  bytes[7] = 1;
  const result = decodeUpstreamAnswer(bytes, { id: 7, question: { ...question, type: 15 } });
  assert.equal(result.kind, "answer");
  if (result.kind !== "answer") return;
  assert.equal(
    Buffer.from(result.answer.answers[0].rdata).toString("latin1"),
    "\0\x0a\x03www\x07example\x03org\0",
  );
});

Deno.test("decodeUpstreamAnswer() survives any octets", () => {
  const base = message([cname("www.example.org", "b.example"), a("b.example")], {
    authorities: [{
      type: "SOA",
      name: "example",
      ttl: 5,
      data: { mname: "ns.example", rname: "host.example" },
    }],
  });
  const mutation = fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 });
  fc.assert(
    fc.property(mutation, fc.nat(base.length), (changes, length) => {
      const bytes = Uint8Array.from(base).subarray(0, Math.max(length, base.length - 3));
      for (const [offset, octet] of changes) bytes[offset] = octet;
      const result = decodeUpstreamAnswer(bytes, expected);
      if (result.kind !== "answer") return;
      assert.ok(result.answer.answers.every((record) => record.rdata.length < bytes.length * 3));
    }),
    { numRuns: 5000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (tail) => {
      decodeUpstreamAnswer(Buffer.concat([base.subarray(0, 33), tail]), expected);
    }),
    { numRuns: 5000 },
  );
});
